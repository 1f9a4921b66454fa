-- The SQL of the index, all but the query of a search, which find_statement.py puts together.
--
-- Each query follows a line "-- name:". Parameters are positional. A list travels as one JSON array
-- (json_each; PostgreSQL says = ANY), so that a query is prepared once for any number of items. A
-- look-up of an identifier names all four levels, so that it uses the one index on level and identifier.
-- CROSS JOIN keeps SQLite from reading all resources of a level for a list of a few.

-- ==== a resource and its kin ====

-- resource:
SELECT r.key, r.id, r.level, p.id, r.tags, r.metadata, r.attachments, r.last_update, r.stable, r.rank,
       (SELECT json_group_array(c.id) FROM resources c WHERE c.parent = r.key),
       (SELECT json_group_array(l.label) FROM labels l WHERE l.resource = r.key)
FROM resources r LEFT JOIN resources p ON p.key = r.parent
WHERE r.id = ? AND r.level IN (0, 1, 2, 3)

-- family:
WITH RECURSIVE
below (key) AS (
    SELECT r.key FROM json_each(?1) wanted CROSS JOIN resources r
    WHERE r.id = wanted.value AND r.level IN (0, 1, 2, 3)
    UNION
    SELECT c.key FROM below JOIN resources c ON c.parent = below.key
),
above (key) AS (
    SELECT r.parent FROM json_each(?1) wanted CROSS JOIN resources r
    WHERE r.id = wanted.value AND r.level IN (1, 2, 3)
    UNION
    SELECT r.parent FROM above JOIN resources r ON r.key = above.key WHERE r.parent IS NOT NULL
)
SELECT r.key, r.id, r.level, p.id, r.tags, r.metadata, r.attachments, r.last_update, r.stable, r.rank,
       (SELECT json_group_array(c.id) FROM resources c WHERE c.parent = r.key),
       (SELECT json_group_array(l.label) FROM labels l WHERE l.resource = r.key)
FROM (SELECT key FROM below UNION SELECT key FROM above) family
CROSS JOIN resources r LEFT JOIN resources p ON p.key = r.parent
WHERE r.key = family.key

-- resources:
SELECT r.key, r.id, r.level, p.id, r.tags, r.metadata, r.attachments, r.last_update, r.stable, r.rank
FROM json_each(?) wanted CROSS JOIN resources r LEFT JOIN resources p ON p.key = r.parent
WHERE r.id = wanted.value AND r.level IN (0, 1, 2, 3)

-- resources_by_key:
SELECT r.key, r.id, r.level, p.id, r.tags, r.metadata, r.attachments, r.last_update, r.stable, r.rank
FROM json_each(?) wanted CROSS JOIN resources r LEFT JOIN resources p ON p.key = r.parent
WHERE r.key = wanted.value

-- resources_of_level:
SELECT r.key, r.id, r.level, p.id, r.tags, r.metadata, r.attachments, r.last_update, r.stable, r.rank
FROM resources r LEFT JOIN resources p ON p.key = r.parent
WHERE r.level = ? ORDER BY r.id LIMIT ? OFFSET ?

-- ids_of_level:
SELECT id FROM resources WHERE level = ? ORDER BY id LIMIT ? OFFSET ?

-- level:
SELECT level FROM resources WHERE id = ? AND level IN (0, 1, 2, 3)

-- place:
SELECT key, id, level, parent FROM resources WHERE id = ? AND level IN (0, 1, 2, 3)

-- place_of:
SELECT key, id, level, parent FROM resources WHERE key = ?

-- find:
SELECT key FROM resources WHERE level = ? AND id = ?

-- children:
SELECT c.parent, c.id FROM json_each(?) wanted JOIN resources c ON c.parent = wanted.value

-- labels:
SELECT l.resource, l.label FROM json_each(?) wanted JOIN labels l ON l.resource = wanted.value

-- attachments:
SELECT attachments FROM resources WHERE id = ? AND level IN (0, 1, 2, 3)

-- attachments_of_many:
SELECT r.id, r.attachments FROM json_each(?) wanted CROSS JOIN resources r
WHERE r.id = wanted.value AND r.level IN (0, 1, 2, 3) AND r.attachments IS NOT NULL

-- descendants:
WITH RECURSIVE below (key, id, level) AS (
    SELECT key, id, level FROM resources WHERE id = ? AND level IN (0, 1, 2, 3)
    UNION ALL
    SELECT c.key, c.id, c.level FROM below JOIN resources c ON c.parent = below.key WHERE below.level < ?
)
SELECT id FROM below WHERE level = ? ORDER BY id

-- first_instance:
WITH RECURSIVE below (key, id, level) AS (
    SELECT key, id, level FROM resources WHERE id = ? AND level IN (0, 1, 2, 3)
    UNION ALL
    SELECT c.key, c.id, c.level FROM below JOIN resources c ON c.parent = below.key
)
SELECT id FROM below WHERE level = 3 ORDER BY key LIMIT 1

-- ancestors:
WITH RECURSIVE above (id, level, identifier, parent) AS (
    SELECT id, level, identifier, parent FROM resources WHERE id = ? AND level IN (0, 1, 2, 3)
    UNION ALL
    SELECT p.id, p.level, p.identifier, p.parent FROM above JOIN resources p ON p.key = above.parent
)
SELECT level, id, identifier FROM above

-- by_identifier:
SELECT level, id FROM resources WHERE identifier = ? ORDER BY level, id

-- ==== an upload ====

-- lineage:
SELECT study.parent, study.key, series.key, series.metadata ->> 'ExpectedNumberOfInstances'
FROM resources series JOIN resources study ON study.key = series.parent
WHERE series.level = 2 AND series.id = ?

-- add_resource:
INSERT INTO resources (key, level, id, parent, identifier, tags, folded, metadata, attachments, last_update, stable, rank)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (level, id) DO NOTHING

-- add_small_file:
INSERT INTO small_files (key, content) VALUES (?, ?)

-- small_file:
SELECT content FROM small_files WHERE key = ?

-- touch:
UPDATE resources SET last_update = ?, stable = 0 WHERE key IN (?, ?, ?)

-- set_last_update:
UPDATE resources SET last_update = ? WHERE key IN (SELECT value FROM json_each(?))

-- set_attachments:
UPDATE resources SET attachments = ? WHERE key = ?

-- rerank:
UPDATE resources SET rank = ? WHERE key = ?

-- instance_indexes:
SELECT metadata ->> 'IndexInSeries' FROM resources WHERE parent = ?

-- ==== deletion ====

-- with_descendants:
WITH RECURSIVE below (key) AS (
    SELECT CAST(? AS INTEGER)
    UNION ALL
    SELECT c.key FROM below JOIN resources c ON c.parent = below.key
)
SELECT key FROM below

-- some_children:
SELECT key FROM resources WHERE parent = ? LIMIT ?

-- delete_resources:
DELETE FROM resources WHERE key IN (SELECT value FROM json_each(?))

-- delete_labels:
DELETE FROM labels WHERE resource IN (SELECT value FROM json_each(?))

-- purge_changes:
DELETE FROM changes WHERE NOT EXISTS (SELECT 1 FROM resources r WHERE r.key = changes.resource)

-- doomed:
SELECT level, attachments FROM resources WHERE key IN (SELECT value FROM json_each(?))

-- delete_small_file:
DELETE FROM small_files WHERE key = ?

-- next_to_recycle:
SELECT key, id, level, parent FROM resources WHERE rank IS NOT NULL AND key <> ? ORDER BY rank LIMIT 1

-- known_files:
SELECT a.value ->> 0 FROM resources r, json_each(r.attachments) a
WHERE r.attachments IS NOT NULL AND a.value ->> 0 IN (SELECT value FROM json_each(?))

-- ==== what people add ====

-- metadata:
SELECT metadata FROM resources WHERE key = ?

-- attachments_of:
SELECT attachments FROM resources WHERE key = ?

-- set_tags:
UPDATE resources SET tags = ?, folded = ? WHERE key = ?

-- set_metadata:
UPDATE resources SET metadata = ? WHERE key = ?

-- labels_of:
SELECT label FROM labels WHERE resource = ?

-- add_label:
INSERT INTO labels (resource, label) VALUES (?, ?) ON CONFLICT DO NOTHING

-- remove_label:
DELETE FROM labels WHERE resource = ? AND label = ?

-- all_labels:
SELECT DISTINCT label FROM labels ORDER BY label

-- rank:
SELECT rank FROM resources WHERE key = ?

-- ==== stability ====

-- unstable:
SELECT key FROM resources WHERE stable = 0 ORDER BY key DESC

-- settle:
UPDATE resources SET stable = 1 WHERE key = ? AND stable = 0 RETURNING level

-- ==== changes and exports ====

-- add_change:
INSERT INTO changes (seq, type, resource, date) VALUES (?, ?, ?, ?)

-- last_change:
SELECT c.seq, c.type, r.level, r.id, c.date FROM changes c JOIN resources r ON r.key = c.resource
ORDER BY c.seq DESC LIMIT 1

-- clear_changes:
DELETE FROM changes

-- add_export:
INSERT INTO exports (seq, level, id, remote_modality, date, patient_id, study_instance_uid, series_instance_uid,
                     sop_instance_uid)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)

-- exports:
SELECT seq, level, id, remote_modality, date, patient_id, study_instance_uid, series_instance_uid, sop_instance_uid
FROM exports WHERE seq > ? ORDER BY seq LIMIT ?

-- clear_exports:
DELETE FROM exports

-- ==== what is handed over to another storage ====

-- instances_after:
SELECT key, id FROM resources WHERE +level = 3 AND key > ? ORDER BY key LIMIT ?

-- recycling:
SELECT id FROM resources WHERE rank IS NOT NULL ORDER BY rank

-- ==== totals, counters, properties ====

-- totals:
SELECT last_resource, last_small_file, last_change, last_export, last_rank, stale_changes, patients, studies, series,
       instances, disk_size, uncompressed_size
FROM totals

-- write_totals:
UPDATE totals SET last_resource = ?, last_small_file = ?, last_change = ?, last_export = ?, last_rank = ?,
                  stale_changes = ?, patients = ?, studies = ?, series = ?, instances = ?,
                  disk_size = ?, uncompressed_size = ?

-- counts_below:
WITH RECURSIVE below (key, level) AS (
    SELECT key, level FROM resources WHERE id = ? AND level IN (0, 1, 2, 3)
    UNION ALL
    SELECT c.key, c.level FROM below JOIN resources c ON c.parent = below.key
)
SELECT level, count(*) FROM below GROUP BY level

-- sizes_below:
WITH RECURSIVE below (key) AS (
    SELECT key FROM resources WHERE id = ? AND level IN (0, 1, 2, 3)
    UNION ALL
    SELECT c.key FROM below JOIN resources c ON c.parent = below.key
)
SELECT coalesce(sum(a.value ->> 3), 0),
       coalesce(sum(a.value ->> 1), 0),
       coalesce(sum(CASE WHEN a.key = '1' THEN a.value ->> 3 ELSE 0 END), 0),
       coalesce(sum(CASE WHEN a.key = '1' THEN a.value ->> 1 ELSE 0 END), 0)
FROM below CROSS JOIN resources r, json_each(r.attachments) a WHERE r.key = below.key

-- next_number:
INSERT INTO counters (name, value) VALUES (?, 1)
ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value

-- property:
SELECT value FROM properties WHERE name = ?

-- set_property:
INSERT INTO properties (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value
