-- The SQL of the index, all but the query of a search, which find_statement.py puts together.
--
-- Each query follows a line "-- name:". A list travels as one array. A look-up of an identifier names all four levels,
-- so that it uses the one index on level and identifier.
-- LATERAL with OFFSET 0 looks rows up one by one: a plan that was kept from when the tables were empty would read them all.

-- ==== a resource and its kin ====

-- resource:
SELECT r.id, r.level, (SELECT p.id FROM resources p WHERE p.key = r.parent), r.tags::text, r.metadata::text, r.attachments::text, r.last_update, r.stable, r.rank,
       r.revisions::text,
       (SELECT json_agg(c.id)::text FROM resources c WHERE c.parent = r.key),
       (SELECT json_agg(l.label)::text FROM labels l WHERE l.resource = r.key)
FROM resources r
WHERE r.id = %s AND r.level IN (0, 1, 2, 3)

-- family:
WITH RECURSIVE
wanted (key, parent) AS MATERIALIZED (
    SELECT r.key, r.parent FROM unnest(%s::text[]) AS asked (id)
    CROSS JOIN LATERAL (SELECT * FROM resources WHERE id = asked.id AND level IN (0, 1, 2, 3) OFFSET 0) r
),
below (key) AS (
    SELECT key FROM wanted
    UNION
    SELECT c.key FROM below JOIN resources c ON c.parent = below.key
),
above (key) AS (
    SELECT parent FROM wanted WHERE parent IS NOT NULL
    UNION
    SELECT r.parent FROM above JOIN resources r ON r.key = above.key WHERE r.parent IS NOT NULL
)
SELECT r.id, r.level, (SELECT p.id FROM resources p WHERE p.key = r.parent), r.tags::text, r.metadata::text, r.attachments::text, r.last_update, r.stable, r.rank,
       r.revisions::text,
       (SELECT json_agg(c.id)::text FROM resources c WHERE c.parent = r.key),
       (SELECT json_agg(l.label)::text FROM labels l WHERE l.resource = r.key)
FROM (SELECT key FROM below UNION SELECT key FROM above) family
CROSS JOIN LATERAL (SELECT * FROM resources WHERE key = family.key OFFSET 0) r

-- resources:
SELECT r.id, r.level, (SELECT p.id FROM resources p WHERE p.key = r.parent), r.tags::text, r.metadata::text, r.attachments::text, r.last_update, r.stable, r.rank,
       r.revisions::text,
       (SELECT json_agg(c.id)::text FROM resources c WHERE c.parent = r.key),
       (SELECT json_agg(l.label)::text FROM labels l WHERE l.resource = r.key)
FROM unnest(%s::text[]) AS wanted (id)
CROSS JOIN LATERAL (SELECT * FROM resources WHERE id = wanted.id AND level IN (0, 1, 2, 3) OFFSET 0) r

-- resources_of_level:
SELECT r.id, r.level, (SELECT p.id FROM resources p WHERE p.key = r.parent), r.tags::text, r.metadata::text, r.attachments::text, r.last_update, r.stable, r.rank,
       r.revisions::text,
       (SELECT json_agg(c.id)::text FROM resources c WHERE c.parent = r.key),
       (SELECT json_agg(l.label)::text FROM labels l WHERE l.resource = r.key)
FROM resources r
WHERE r.level = %s ORDER BY r.id LIMIT %s OFFSET %s

-- found_resources:
WITH found AS MATERIALIZED (SELECT s.key, row_number() OVER () AS number FROM ({search}) s)
SELECT r.id, r.level, (SELECT p.id FROM resources p WHERE p.key = r.parent), r.tags::text, r.metadata::text, r.attachments::text, r.last_update, r.stable, r.rank,
       r.revisions::text,
       (SELECT json_agg(c.id)::text FROM resources c WHERE c.parent = r.key),
       (SELECT json_agg(l.label)::text FROM labels l WHERE l.resource = r.key)
FROM found CROSS JOIN LATERAL (SELECT * FROM resources WHERE key = found.key OFFSET 0) r
ORDER BY found.number

-- ids_of_level:
SELECT id FROM resources WHERE level = %s ORDER BY id LIMIT %s OFFSET %s

-- level:
SELECT level FROM resources WHERE id = %s AND level IN (0, 1, 2, 3)

-- attachments:
SELECT attachments::text FROM resources WHERE id = %s AND level IN (0, 1, 2, 3)

-- attachments_of_many:
SELECT id, attachments::text FROM resources
WHERE id = ANY(%s::text[]) AND level IN (0, 1, 2, 3) AND attachments IS NOT NULL

-- descendants:
WITH RECURSIVE below (key, id, level) AS (
    SELECT key, id, level FROM resources WHERE id = %s AND level IN (0, 1, 2, 3)
    UNION ALL
    SELECT c.key, c.id, c.level FROM below JOIN resources c ON c.parent = below.key WHERE below.level < %s
)
SELECT id FROM below WHERE level = %s ORDER BY id

-- first_instance:
WITH RECURSIVE below (key, id, level) AS (
    SELECT key, id, level FROM resources WHERE id = %s AND level IN (0, 1, 2, 3)
    UNION ALL
    SELECT c.key, c.id, c.level FROM below JOIN resources c ON c.parent = below.key
)
SELECT id FROM below WHERE level = 3 ORDER BY key LIMIT 1

-- ancestors:
WITH RECURSIVE above (id, level, identifier, parent) AS (
    SELECT id, level, identifier, parent FROM resources WHERE id = %s AND level IN (0, 1, 2, 3)
    UNION ALL
    SELECT p.id, p.level, p.identifier, p.parent FROM above JOIN resources p ON p.key = above.parent
)
SELECT level, id, identifier FROM above

-- by_identifier:
SELECT level, id FROM resources WHERE identifier = %s ORDER BY level, id

-- small_file:
SELECT content FROM small_files WHERE key = %s

-- known_files:
SELECT uuid FROM files WHERE uuid = ANY(%s::text[])

-- all_labels:
SELECT DISTINCT label FROM labels ORDER BY label

-- unstable:
SELECT key, touched FROM resources WHERE NOT stable ORDER BY key DESC

-- ==== a transaction: its beginning, what it looks at, what it writes (schema.sql has the functions) ====

-- begin:
SELECT totals, known::text FROM begin_index(%s, %s, %s::smallint[], %s::text[])

-- write:
SELECT write_index(%s, %s::bigint[], %b::bytea[], %s::text[], %s, %s, %s, %s::bigint[])

-- known_by_key:
SELECT key, level, id, parent, last_update, stable, touched, rank,
       CASE WHEN level = 2 THEN metadata ->> 'ExpectedNumberOfInstances' END
FROM resources WHERE key = ANY(%s::bigint[])

-- find:
SELECT key FROM resources WHERE level = %s AND id = %s

-- place:
SELECT key, id, level, parent FROM resources WHERE id = %s AND level IN (0, 1, 2, 3)

-- place_of:
SELECT key, id, level, parent FROM resources WHERE key = %s

-- lineage:
SELECT study.parent, study.key, series.key, series.metadata ->> 'ExpectedNumberOfInstances'
FROM resources series JOIN resources study ON study.key = series.parent
WHERE series.level = 2 AND series.id = %s

-- some_children:
SELECT key FROM resources WHERE parent = %s LIMIT %s

-- with_descendants:
WITH RECURSIVE below (key) AS (
    SELECT %s::bigint
    UNION ALL
    SELECT c.key FROM below JOIN resources c ON c.parent = below.key
)
SELECT key FROM below

-- instance_indexes:
SELECT place, count(*) FROM resources WHERE parent = %s AND place IS NOT NULL GROUP BY place

-- metadata:
SELECT metadata::text FROM resources WHERE key = %s

-- revisions:
SELECT revisions::text FROM resources WHERE key = %s

-- attachments_of:
SELECT attachments::text FROM resources WHERE key = %s

-- labels_of:
SELECT label FROM labels WHERE resource = %s

-- rank:
SELECT rank FROM resources WHERE key = %s

-- next_to_recycle:
SELECT key, id, level, parent FROM resources WHERE rank IS NOT NULL AND key <> %s ORDER BY rank LIMIT 1

-- ==== a transaction: what it changes ====

-- set_last_update:
UPDATE resources SET last_update = %s WHERE key = ANY(%s::bigint[])

-- set_attachments:
UPDATE resources SET attachments = %s WHERE key = %s

-- set_tags:
UPDATE resources SET tags = %s, folded = %s WHERE key = %s

-- set_metadata:
UPDATE resources SET metadata = %s, folded_metadata = %s, place = CASE WHEN level = 3 THEN %s::bigint END WHERE key = %s

-- set_revisions:
UPDATE resources SET revisions = %s WHERE key = %s

-- add_label:
INSERT INTO labels (resource, label) VALUES (%s, %s) ON CONFLICT DO NOTHING

-- remove_label:
DELETE FROM labels WHERE resource = %s AND label = %s

-- settle:
UPDATE resources SET stable = true
WHERE key = ANY(%(keys)s::bigint[]) AND NOT stable
      AND touched = (%(numbers)s::bigint[])[array_position(%(keys)s::bigint[], key)]
RETURNING key, level

-- delete_resources:
DELETE FROM resources WHERE key = ANY(%s::bigint[]) RETURNING level, attachments::text

-- delete_labels:
DELETE FROM labels WHERE resource = ANY(%s::bigint[])

-- delete_small_files:
DELETE FROM small_files WHERE key = ANY(%s::bigint[])

-- delete_files:
DELETE FROM files WHERE uuid = ANY(%s::text[])

-- purge_changes:
DELETE FROM changes WHERE NOT EXISTS (SELECT 1 FROM resources r WHERE r.key = changes.resource)

-- ==== changes, exports, totals, properties ====

-- last_change:
SELECT c.seq, c.type, r.level, r.id, c.date FROM changes c
CROSS JOIN LATERAL (SELECT * FROM resources WHERE key = c.resource OFFSET 0) r ORDER BY c.seq DESC LIMIT 1

-- clear_changes:
DELETE FROM changes

-- add_export:
INSERT INTO exports (seq, level, id, remote_modality, date, patient_id, study_instance_uid, series_instance_uid,
                     sop_instance_uid)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)

-- exports:
SELECT seq, level, id, remote_modality, date, patient_id, study_instance_uid, series_instance_uid, sop_instance_uid
FROM exports WHERE seq > %s ORDER BY seq LIMIT %s

-- clear_exports:
DELETE FROM exports

-- last_change_number:
SELECT last_change FROM totals ORDER BY version DESC LIMIT 1

-- statistics:
SELECT patients, studies, series, instances, disk_size, uncompressed_size FROM totals ORDER BY version DESC LIMIT 1

-- below:
WITH RECURSIVE below (key, level, attachments) AS (
    SELECT key, level, attachments FROM resources WHERE id = %s AND level IN (0, 1, 2, 3)
    UNION ALL
    SELECT c.key, c.level, c.attachments FROM below JOIN resources c ON c.parent = below.key
)
SELECT (SELECT count(*) FROM below WHERE level = 1),
       (SELECT count(*) FROM below WHERE level = 2),
       (SELECT count(*) FROM below WHERE level = 3),
       coalesce(sum((a.value ->> 3)::bigint), 0)::bigint,
       coalesce(sum((a.value ->> 1)::bigint), 0)::bigint,
       coalesce(sum((a.value ->> 3)::bigint) FILTER (WHERE a.key = '1'), 0)::bigint,
       coalesce(sum((a.value ->> 1)::bigint) FILTER (WHERE a.key = '1'), 0)::bigint,
       (SELECT count(*) FROM below)
FROM below LEFT JOIN LATERAL json_each(below.attachments) a ON true

-- next_number:
INSERT INTO counters (name, value) VALUES (%s, 1)
ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value

-- property:
SELECT value FROM properties WHERE name = %s

-- set_property:
INSERT INTO properties (name, value) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- ==== what is handed over to another storage ====

-- instances_after:
SELECT key, id FROM resources WHERE level = 3 AND key > %s ORDER BY key LIMIT %s

-- recycling:
SELECT id FROM resources WHERE rank IS NOT NULL ORDER BY rank
