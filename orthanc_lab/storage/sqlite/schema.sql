-- The tables of the index.
--
-- Compact on purpose: the main DICOM tags and the metadata of a resource are one JSON object each,
-- read as a whole and searched with ->>, which PostgreSQL spells the same way.

CREATE TABLE resources (
    key         INTEGER PRIMARY KEY,            -- order of creation; never used twice
    level       INTEGER NOT NULL,               -- 0 patient, 1 study, 2 series, 3 instance
    id          TEXT NOT NULL,                  -- Orthanc identifier
    parent      INTEGER REFERENCES resources,
    identifier  TEXT NOT NULL,                  -- PatientID, or the UID of the level; folded, without outer blanks
    tags        TEXT NOT NULL,                  -- JSON: "gggg,eeee" -> main DICOM tag
    folded      TEXT,                           -- JSON: those of the tags that differ in upper case, so written
    metadata    TEXT NOT NULL,                  -- JSON: name, or number of a user-defined one -> value
    last_update TEXT,                           -- metadata LastUpdate; NULL for an instance
    stable      INTEGER NOT NULL,               -- 0 until StableAge has passed without a new instance below
    rank        INTEGER,                        -- of a patient: the lowest one is recycled first; NULL = protected
    UNIQUE (level, id)
);
CREATE INDEX resources_by_parent ON resources (parent);
CREATE INDEX resources_by_identifier ON resources (identifier);
CREATE INDEX patients_by_rank ON resources (rank) WHERE rank IS NOT NULL;
CREATE INDEX unstable_resources ON resources (key) WHERE stable = 0;

CREATE TABLE small_files (                      -- a small file and its row share one commit
    key     INTEGER PRIMARY KEY,                -- never used twice
    content BLOB NOT NULL
);

CREATE TABLE attachments (
    resource          INTEGER NOT NULL REFERENCES resources,
    type              INTEGER NOT NULL,
    uuid              TEXT NOT NULL,
    uncompressed_size INTEGER NOT NULL,
    uncompressed_md5  TEXT NOT NULL,
    compressed_size   INTEGER NOT NULL,
    compressed_md5    TEXT NOT NULL,
    compressed        INTEGER NOT NULL,
    small_file        INTEGER REFERENCES small_files,  -- NULL = a file of its own in the storage area
    PRIMARY KEY (resource, type)
);

CREATE TABLE labels (
    resource INTEGER NOT NULL REFERENCES resources,
    label    TEXT NOT NULL,
    PRIMARY KEY (resource, label)
);
CREATE INDEX labels_by_label ON labels (label);

CREATE TABLE changes (
    seq      INTEGER PRIMARY KEY,
    type     TEXT NOT NULL,
    resource INTEGER NOT NULL REFERENCES resources,
    date     TEXT NOT NULL                      -- YYYYMMDDTHHMMSS, UTC
);
CREATE INDEX changes_by_resource ON changes (resource);

CREATE TABLE exports (
    seq                 INTEGER PRIMARY KEY,
    level               INTEGER NOT NULL,
    id                  TEXT NOT NULL,
    remote_modality     TEXT NOT NULL,
    date                TEXT NOT NULL,
    patient_id          TEXT NOT NULL,
    study_instance_uid  TEXT NOT NULL,
    series_instance_uid TEXT NOT NULL,
    sop_instance_uid    TEXT NOT NULL
);

CREATE TABLE properties (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);

CREATE TABLE totals (                           -- one row, written with every commit that changes it
    last_resource     INTEGER NOT NULL,
    last_small_file   INTEGER NOT NULL,
    last_change       INTEGER NOT NULL,
    last_export       INTEGER NOT NULL,
    last_rank         INTEGER NOT NULL,
    patients          INTEGER NOT NULL,
    studies           INTEGER NOT NULL,
    series            INTEGER NOT NULL,
    instances         INTEGER NOT NULL,
    disk_size         INTEGER NOT NULL,
    uncompressed_size INTEGER NOT NULL
);
INSERT INTO totals VALUES (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
