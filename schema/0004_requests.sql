-- Which request made a change, as its answer and the log name it: so that it can be told, after the
-- connection to a database was lost in a commit, whether that was done. Null: a command did.
ALTER TABLE history ADD COLUMN request_id {text};
