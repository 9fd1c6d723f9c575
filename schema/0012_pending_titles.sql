-- docket brings titles into the index of trigrams after the write, many at once. So a create does not wait for
-- it. Where that index is separate from the tasks, the marker text_pending makes a table of the tasks whose title
-- the index does not have yet, or still has.

{text_pending}
