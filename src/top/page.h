/* SPDX-License-Identifier: MIT */
/* Draws the page. */
#ifndef TOP_PAGE_H
#define TOP_PAGE_H

#include "routes.h"

#define PAGE_COLUMNS_MIN 80
#define PAGE_LINES_MIN 18

struct page {
	struct samples samples;
	const char *where; /* what is asked, for the page's title */
	const char *fault; /* why the process could not be asked; "": it could */
	int64_t fault_s;   /* for how many seconds */
	enum route_order order;
	bool reverse, paused;
	size_t first; /* the first route that is shown; page_draw() makes it small enough */
};

/* Sets up colours. Call it once, after the terminal is set up. */
void page_begin(void);
void page_draw(struct page *page);

#endif
