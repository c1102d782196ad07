/* Where a browser is sent back to: a path of this site only. Pure. */
#ifndef PINTLE_RETURN_TO_H
#define PINTLE_RETURN_TO_H

#include "buffer.h"

/* URI if it can only be a path of this site, with its query, of 2000 bytes; else "/". */
struct text return_to_safe(struct text uri);

/* Adds VALUE percent-encoded, for a query (RFC 3986, 2.1). */
void return_to_add_escaped(struct buffer *b, struct text value);

#endif
