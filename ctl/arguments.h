/*
 * What stands behind a subcommand: operands, and the few options that some of them share.
 */
#ifndef PINTLE_ARGUMENTS_H
#define PINTLE_ARGUMENTS_H

#include "command.h"

/* What a command takes. --json is taken by each. */
enum {
	ARGUMENTS_PAGE = 1,   /* --limit N and --after KEY */
	ARGUMENTS_USER = 2,   /* --user USER */
	ARGUMENTS_YES = 4,    /* --yes */
	ARGUMENTS_DOCTOR = 8, /* --url URL and --socket PATH */
};

struct arguments_shape {
	unsigned options;
	int least, most; /* operands */
};

struct arguments {
	char **operands;
	int count;
	int64_t limit;		  /* INT64_MAX: none */
	const char *after;	  /* "": from the first */
	const char *user;	  /* NULL: none */
	const char *url, *socket; /* NULL: none */
	bool yes;
};

/*
 * ARGV[-1] is the command's last word. False when they are not of that shape; the person
 * has been told, and the exit status is STATUS_USAGE.
 */
bool arguments_parse(struct command_context *context, int argc, char **argv,
		     const struct arguments_shape *shape, struct arguments *out)
	__attribute__((warn_unused_result));

/* For a command that takes none. False, and STATUS_USAGE, when there are some. */
bool arguments_none(struct command_context *context, int argc, char **argv)
	__attribute__((warn_unused_result));

/* Decimal digits, as ids are. */
bool arguments_is_id(const char *written);

#endif
