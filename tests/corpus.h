/* Vectors that others wrote. They are read where they are; where they are not, a test is skipped. */
#ifndef PINTLE_CORPUS_H
#define PINTLE_CORPUS_H

#include "json.h"

/* Where the file or folder NAME is: below $PINTLE_CORPORA, else in the project's shared one. */
const char *corpus_path(struct arena *arena, const char *name);

/* The document NAME of at most 1 MiB. NULL, and a line that says so, where it is absent. */
const struct json *corpus_parse(struct arena *arena, const char *name);

/* What must be there: anything else fails the test. */
const struct json *corpus_member(const struct json *object, const char *name);
struct text corpus_string(const struct json *object, const char *name);

#endif
