#include <stdio.h>

#include "arguments.h"
#include "json.h"

/* Tables that are not there, or of another version, do not come by waiting. */
static int status_of(struct command_context *context, const struct problem *p)
{
	struct problem ignored = { 0 };
	int version;

	return store_schema_version(context->app->store, &version, &ignored) &&
			       version != STORE_SCHEMA_VERSION
		       ? STATUS_NO
		       : command_status(p);
}

static void print_check(struct command_context *context, const char *database, bool good)
{
	struct buffer b = buffer_new(context->arena, 256);

	if (!context->json) {
		printf("configuration  %s: good\ndatabase       %s\n",
		       context->config_file, database);
		return;
	}
	json_begin(&b, NULL, '{');
	json_add_string(&b, "configuration", text_of(context->config_file));
	json_add_string(&b, "database", text_of(database));
	json_add_boolean(&b, "good", good);
	json_end(&b, '}');
	printf("%.*s\n", TEXT_ARG(buffer_text(&b)));
}

/* The configuration is known to be good by the time any command runs. */
int cmd_check(struct command_context *context, int argc, char **argv)
{
	struct problem p = { 0 };

	if (!arguments_none(context, argc, argv))
		return STATUS_USAGE;
	if (!store_ping(context->app->store, &p)) {
		print_check(context, p.detail, false);
		command_problem(&p);
		return status_of(context, &p);
	}
	print_check(context, "good", true);
	return STATUS_DONE;
}

static bool print_option(void *context, const char *option, const char *value,
			 const char *origin)
{
	const struct command_context *c = context;
	struct buffer b;

	if (!c->json) {
		printf("%-32s %-40s # %s\n", option, value, origin);
		return true;
	}
	b = buffer_new(c->arena, 256);
	json_begin(&b, NULL, '{');
	json_add_string(&b, "option", text_of(option));
	json_add_string(&b, "value", text_of(value));
	json_add_string(&b, "origin", text_of(origin));
	json_end(&b, '}');
	printf("%.*s\n", TEXT_ARG(buffer_text(&b)));
	return true;
}

int cmd_config(struct command_context *context, int argc, char **argv)
{
	if (!arguments_none(context, argc, argv))
		return STATUS_USAGE;
	return config_each(context->app->config, print_option, context) ? STATUS_DONE
									: STATUS_NO;
}
