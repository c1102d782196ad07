/* How long an answer may be kept, by its headers (RFC 9111, 4.2 and 5.2.2); pure. */
#ifndef PINTLE_FRESHNESS_H
#define PINTLE_FRESHNESS_H

#include "arena.h"

struct freshness {
	struct text
		etag; /* in the arena; "" if there is none, or a longer one than is kept */
	int64_t max_age_s, age_s; /* -1, 0: nothing was said */
	bool no_store;
};

#define FRESHNESS_START                                                                  \
	{                                                                                \
		.max_age_s = -1                                                          \
	}

/* LINE is one header, with or without its line end. */
void freshness_take(struct freshness *f, struct arena *a, struct text line);

/* Seconds: max-age less Age; 0 when it must not be kept, -1 when nothing was said. */
int64_t freshness_life(const struct freshness *f);

#endif
