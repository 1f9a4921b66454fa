-- The tables of the index, in the schema orthanc_lab.
--
-- As in SQLite the main DICOM tags, the metadata and the attachments of a resource are one JSON object each. jsonb is
-- searched quickly, json keeps the order of the names. Texts sort by their bytes, whatever the language of the database.
-- No table refers to another one by a foreign key: one server writes at a time (the row of totals is its lock), so
-- there is nothing that the database would have to watch, and each check would write to the row that is referred to.

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
    attachments     json,                           -- type -> [uuid, uncompressed size, its MD5, compressed size,
                                                    -- its MD5, is compressed, key of a small file or null]
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

CREATE TABLE totals (                               -- one row: who writes locks it, until the commit
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
) WITH (fillfactor = 20);
INSERT INTO totals VALUES (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
