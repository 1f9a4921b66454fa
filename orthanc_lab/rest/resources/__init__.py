"""What the index knows: patients, studies, series and instances, with their metadata, attachments and labels."""
