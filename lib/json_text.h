/* JSON text, byte by byte: what reading and writing it share. For json_*.c only. */
#ifndef PINTLE_JSON_TEXT_H
#define PINTLE_JSON_TEXT_H

#include "json.h"

#define JSON_DEPTH_MAX 64 /* the scanner's stack is the bits of one word */

#pragma GCC visibility push(hidden)

/* What a byte may do without being looked at twice. */
enum {
	SCANS = 1,  /* stand in a string that is read */
	WRITES = 2, /* stand in a string that is written */
	RAW = 4,    /* be copied from JSON text into an answer */
	PLAIN = SCANS | WRITES | RAW,
};

extern const unsigned char json_classes[256];

/* The length of the UTF-8 character at AT (RFC 3629, 4), 0 when it is none. */
size_t json_utf8_len(const unsigned char *at, const unsigned char *end);

#pragma GCC visibility pop

#endif
