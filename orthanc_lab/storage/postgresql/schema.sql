-- The tables of the index, in the schema orthanc_lab.
--
-- As in SQLite the main DICOM tags, the metadata and the attachments of a resource are one JSON object each. jsonb is
-- searched quickly, json keeps the order of the names. Texts sort by their bytes, whatever the language of the database.
-- No table refers to another one by a foreign key: one server writes at a time (begin_index takes the lock), so
-- there is nothing that the database would have to watch, and each check would write to the row that is referred to.
--
-- Plans are kept, and may have been made when the tables were empty: so rows are looked up one by one where a plan could
-- read a whole index instead (LATERAL with OFFSET 0, or a loop).

CREATE TABLE resources (
    key             bigint PRIMARY KEY,             -- order of creation; never used twice
    level           smallint NOT NULL,              -- 0 patient, 1 study, 2 series, 3 instance
    id              text COLLATE "C" NOT NULL,      -- Orthanc identifier
    parent          bigint,
    identifier      text COLLATE "C" NOT NULL,      -- PatientID, or the UID of the level; folded, without outer blanks
    tags            jsonb NOT NULL,                 -- "gggg,eeee" -> main DICOM tag
    folded          jsonb,                          -- those of the tags that differ in upper case, so written
    metadata        json NOT NULL,                  -- name, or number of a user-defined one -> value
    folded_metadata jsonb,                          -- those that differ in upper case, so written
    revisions       json,                           -- name of a metadata -> how often it was replaced
    attachments     json,                           -- type -> [uuid, uncompressed size, its MD5, compressed size, its
                                                    -- MD5, is compressed, key of a small file or null, revision]
    place           bigint,                         -- of an instance: metadata IndexInSeries, if that is a number
    last_update     text COLLATE "C",               -- metadata LastUpdate; NULL for an instance
    stable          boolean NOT NULL,               -- false until StableAge has passed without a new instance below
    touched         bigint NOT NULL,                -- larger with each new instance below: which server has seen it
    rank            bigint,                         -- of a patient: the lowest one is recycled first; NULL = protected
    UNIQUE (level, id)
);
CREATE INDEX resources_by_parent ON resources (parent, place);
CREATE INDEX resources_by_identifier ON resources (identifier);
CREATE INDEX patients_by_rank ON resources (rank) WHERE rank IS NOT NULL;
CREATE INDEX unstable_resources ON resources (key) WHERE NOT stable;

-- The orders and the filter that work lists ask for. The expressions are those of find_statement.py.
CREATE INDEX patients_by_name ON resources
    ((btrim(replace(coalesce(folded ->> '0010,0010', tags ->> '0010,0010'), '_', ' ')) COLLATE "C")) WHERE level = 0;
CREATE INDEX studies_by_date ON resources
    ((btrim(replace(coalesce(folded ->> '0008,0020', tags ->> '0008,0020'), '_', ' ')) COLLATE "C")) WHERE level = 1;
CREATE INDEX series_by_modality ON resources
    ((coalesce(folded ->> '0008,0060', tags ->> '0008,0060') COLLATE "C")) WHERE level = 2;

CREATE TABLE small_files (                          -- attachments that share the commit of their row
    key     bigint PRIMARY KEY,                     -- never used twice
    content bytea NOT NULL
) WITH (toast_tuple_target = 8160);
ALTER TABLE small_files ALTER COLUMN content SET STORAGE EXTERNAL;  -- pixels hardly shrink

CREATE TABLE files (                                -- attachments in the storage area
    uuid text COLLATE "C" PRIMARY KEY
);

CREATE TABLE labels (
    resource bigint NOT NULL,
    label    text COLLATE "C" NOT NULL,
    PRIMARY KEY (resource, label)
);
CREATE INDEX labels_by_label ON labels (label);

CREATE TABLE changes (                              -- those of deleted resources are not shown, and purged now and then
    seq      bigint PRIMARY KEY,
    type     text NOT NULL,
    resource bigint NOT NULL,
    date     text NOT NULL                          -- YYYYMMDDTHHMMSS, UTC
);

CREATE TABLE exports (
    seq                 bigint PRIMARY KEY,
    level               smallint NOT NULL,
    id                  text NOT NULL,
    remote_modality     text NOT NULL,
    date                text NOT NULL,
    patient_id          text NOT NULL,
    study_instance_uid  text NOT NULL,
    series_instance_uid text NOT NULL,
    sop_instance_uid    text NOT NULL
);

CREATE TABLE properties (name text COLLATE "C" PRIMARY KEY, value text NOT NULL);
CREATE TABLE counters (name text COLLATE "C" PRIMARY KEY, value bigint NOT NULL);

-- One row, which each transaction that writes replaces by one of a higher version. It is found from the end of its index:
-- as long as a backup looks at an old moment, the old rows stay, and an updated one would be sought among all of them.
CREATE TABLE totals (
    version           bigint PRIMARY KEY,
    last_resource     bigint NOT NULL,
    last_small_file   bigint NOT NULL,
    last_change       bigint NOT NULL,
    last_export       bigint NOT NULL,
    last_rank         bigint NOT NULL,
    last_touch        bigint NOT NULL,
    stale_changes     bigint NOT NULL,              -- resources deleted since the changes were purged
    patients          bigint NOT NULL,
    studies           bigint NOT NULL,
    series            bigint NOT NULL,
    instances         bigint NOT NULL,
    disk_size         bigint NOT NULL,
    uncompressed_size bigint NOT NULL
);
INSERT INTO totals VALUES (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

-- What begins each transaction that writes: a note by which its outcome can be found out, the lock, the totals, and what
-- is known of some resources.
CREATE FUNCTION begin_index(
    writer text, turn bigint, levels smallint[], ids text[], OUT totals bigint[], OUT known json
)
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM outcomes WHERE session = writer AND number = turn - 1;
    INSERT INTO outcomes (session, number) VALUES (writer, turn);
    PERFORM pg_advisory_xact_lock(1869769832, 2);  -- until the commit
    -- These are statements of their own, so they see what was committed while this one waited.
    SELECT ARRAY[t.version, t.last_resource, t.last_small_file, t.last_change, t.last_export, t.last_rank, t.last_touch,
                 t.stale_changes, t.patients, t.studies, t.series, t.instances, t.disk_size, t.uncompressed_size]
    INTO totals FROM totals t ORDER BY t.version DESC LIMIT 1;
    IF ids IS NOT NULL THEN
        SELECT json_agg(json_build_array(
            r.key, r.level, r.id, r.parent, r.last_update, r.stable, r.touched, r.rank,
            CASE WHEN r.level = 2 THEN r.metadata ->> 'ExpectedNumberOfInstances' END
        )) INTO known
        FROM unnest(levels, ids) AS wanted (level, id)
        CROSS JOIN LATERAL (SELECT * FROM resources WHERE level = wanted.level AND id = wanted.id OFFSET 0) r;
    END IF;
END $$;

-- What it writes, as one statement; NULL for nothing of a kind.
CREATE FUNCTION write_index(
    added json, small_keys bigint[], small_contents bytea[], names text[], touched json, ranked json, logged json,
    sums bigint[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    item json;
BEGIN
    IF added IS NOT NULL THEN
        INSERT INTO resources (key, level, id, parent, identifier, tags, folded, metadata, folded_metadata,
                               attachments, place, last_update, stable, touched, rank)
        SELECT a.key, a.level, a.id, a.parent, a.identifier, a.tags, a.folded, a.metadata, a.folded_metadata,
               a.attachments, a.place, a.last_update, a.level = 3, a.touched, a.rank
        FROM json_to_recordset(added) AS a (
            key bigint, level smallint, id text, parent bigint, identifier text, tags jsonb, folded jsonb,
            metadata json, folded_metadata jsonb, attachments json, place bigint, last_update text, touched bigint,
            rank bigint
        );
    END IF;
    IF small_keys IS NOT NULL THEN
        INSERT INTO small_files (key, content) SELECT * FROM unnest(small_keys, small_contents);
    END IF;
    IF names IS NOT NULL THEN
        INSERT INTO files (uuid) SELECT * FROM unnest(names);
    END IF;
    IF touched IS NOT NULL THEN
        FOR item IN SELECT json_array_elements(write_index.touched) LOOP
            UPDATE resources r SET last_update = item ->> 1, stable = false, touched = (item ->> 2)::bigint
            WHERE r.key = (item ->> 0)::bigint;
        END LOOP;
    END IF;
    IF ranked IS NOT NULL THEN
        FOR item IN SELECT json_array_elements(ranked) LOOP
            UPDATE resources SET rank = (item ->> 1)::bigint WHERE key = (item ->> 0)::bigint;
        END LOOP;
    END IF;
    IF logged IS NOT NULL THEN
        INSERT INTO changes (seq, type, resource, date)
        SELECT (t ->> 0)::bigint, t ->> 1, (t ->> 2)::bigint, t ->> 3 FROM json_array_elements(logged) t;
    END IF;
    IF sums IS NOT NULL THEN
        DELETE FROM totals WHERE version = sums[1];
        INSERT INTO totals VALUES (
            sums[1] + 1, sums[2], sums[3], sums[4], sums[5], sums[6], sums[7], sums[8], sums[9], sums[10], sums[11],
            sums[12], sums[13], sums[14]
        );
    END IF;
END $$;
