-- docket brings titles into the index of trigrams after the write, many at once, so that a create does not wait
-- for the index. If the index is separate from the tasks, the marker text_pending makes a table of the tasks that
-- the index does not have as they are.

{text_pending}
