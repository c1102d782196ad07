#include "arguments.h"

#include <getopt.h>

#define ID_MAX 20 /* digits of 2^64 - 1 */

static const struct option options[] = {
	{ "after", required_argument, NULL, ARGUMENTS_PAGE },
	{ "json", no_argument, NULL, 'j' },
	{ "limit", required_argument, NULL, 'l' },
	{ "socket", required_argument, NULL, 's' },
	{ "url", required_argument, NULL, ARGUMENTS_DOCTOR },
	{ "user", required_argument, NULL, ARGUMENTS_USER },
	{ "yes", no_argument, NULL, ARGUMENTS_YES },
	{ 0 },
};

bool arguments_is_id(const char *written)
{
	const size_t len = strlen(written);

	return len && len <= ID_MAX && strspn(written, "0123456789") == len;
}

/* NULL, or what is wrong. */
static const char *take_option(struct command_context *context, int option,
			       unsigned allowed, struct arguments *out)
{
	const unsigned needed = option == 'l'	? ARGUMENTS_PAGE
				: option == 's' ? ARGUMENTS_DOCTOR
						: (unsigned)option;

	if (option == 'j') {
		context->json = true;
		return NULL;
	}
	if (option == '?' || !(needed & allowed))
		return "an option that this command does not have, or one without its "
		       "value";
	if (option == 'l')
		return text_to_number(text_of(optarg), &out->limit) && out->limit
			       ? NULL
			       : "--limit is a number from 1";
	if (option == ARGUMENTS_PAGE)
		out->after = optarg;
	else if (option == ARGUMENTS_DOCTOR)
		out->url = optarg;
	else if (option == 's')
		out->socket = optarg;
	else if (option == ARGUMENTS_USER)
		out->user = optarg;
	else
		out->yes = true;
	return NULL;
}

bool arguments_parse(struct command_context *context, int argc, char **argv,
		     const struct arguments_shape *shape, struct arguments *out)
{
	struct arguments parsed = { .limit = INT64_MAX, .after = "" };
	const char *wrong = NULL;
	int option;

	/* 0, not 1: glibc then forgets how far main came with its own options. */
	optind = 0;
	opterr = 0;
	while (!wrong &&
	       (option = getopt_long(argc + 1, argv - 1, "", options, NULL)) != -1)
		wrong = take_option(context, option, shape->options, &parsed);
	parsed.operands = argv - 1 + optind;
	parsed.count = argc + 1 - optind;
	if (!wrong && parsed.count < shape->least)
		wrong = "something is missing";
	if (!wrong && parsed.count > shape->most)
		wrong = "that is too much";
	if (wrong) {
		command_usage(context, wrong);
		return false;
	}
	*out = parsed;
	return true;
}

bool arguments_none(struct command_context *context, int argc, char **argv)
{
	static const struct arguments_shape shape = { 0 };
	struct arguments unused;

	return arguments_parse(context, argc, argv, &shape, &unused);
}
