#include "problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct problem_row rows[PROBLEM_KINDS] = {
	[PROBLEM_NONE] = { "NONE", 200, "none", NULL, "none", "" },
#define PROBLEM(kind, status, error, reason, cause, message)                             \
	[PROBLEM_##kind] = { #kind, status, error, reason, cause, message },
#include "problems.def"
#undef PROBLEM
};

const struct problem_row *problem_row(enum problem_kind kind)
{
	return &rows[kind];
}

void problem_note(struct problem *p, enum problem_kind kind, const char *file, int line,
		  const char *format, ...)
{
	va_list args;

	if (p->kind != PROBLEM_NONE)
		return;
	p->kind = kind;
	p->file = file;
	p->line = line;
	va_start(args, format);
	vsnprintf(p->detail, sizeof(p->detail), format, args);
	va_end(args);
}

void problem_clear(struct problem *p)
{
	memset(p, 0, sizeof(*p));
}
