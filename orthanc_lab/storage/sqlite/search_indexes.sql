-- What makes searches fast. A database that lacks one of these gets it when it is opened.
--
-- The expressions are those of find_statement.py, letter for letter.

-- The orders that work lists ask for, and their filter.
CREATE INDEX IF NOT EXISTS patients_by_name ON resources
    (level, trim(replace(coalesce(folded ->> '0010,0010', tags ->> '0010,0010'), '_', ' ')), key, id) WHERE level = 0;
CREATE INDEX IF NOT EXISTS studies_by_date ON resources
    (level, trim(replace(coalesce(folded ->> '0008,0020', tags ->> '0008,0020'), '_', ' ')), key, id) WHERE level = 1;
CREATE INDEX IF NOT EXISTS series_by_modality ON resources
    (coalesce(folded ->> '0008,0060', tags ->> '0008,0060')) WHERE level = 2;

-- The columns of work lists, one row after the other: any filter and any order that asks for nothing else reads these
-- few bytes of each row, not the row itself (SQLite 3.41 and later).
CREATE INDEX IF NOT EXISTS patients_listed ON resources (
    level, id,
    coalesce(folded ->> '0010,0010', tags ->> '0010,0010'), -- PatientName
    coalesce(folded ->> '0010,0020', tags ->> '0010,0020'), -- PatientID
    coalesce(folded ->> '0010,0030', tags ->> '0010,0030')  -- PatientBirthDate
) WHERE level = 0;
CREATE INDEX IF NOT EXISTS studies_listed ON resources (
    level, id,
    coalesce(folded ->> '0010,0010', tags ->> '0010,0010'), -- PatientName
    coalesce(folded ->> '0010,0020', tags ->> '0010,0020'), -- PatientID
    coalesce(folded ->> '0010,0030', tags ->> '0010,0030'), -- PatientBirthDate
    coalesce(folded ->> '0008,0020', tags ->> '0008,0020'), -- StudyDate
    coalesce(folded ->> '0008,0030', tags ->> '0008,0030'), -- StudyTime
    coalesce(folded ->> '0008,0050', tags ->> '0008,0050'), -- AccessionNumber
    coalesce(folded ->> '0008,1030', tags ->> '0008,1030'), -- StudyDescription
    coalesce(folded ->> '0008,0090', tags ->> '0008,0090')  -- ReferringPhysicianName
) WHERE level = 1;
