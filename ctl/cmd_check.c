#include <stdio.h>

#include "arguments.h"

/* The configuration is known to be good by the time any command runs. */
int cmd_check(struct command_context *context, int argc, char **argv)
{
	struct problem p = { 0 };

	if (!arguments_none(context, argc, argv))
		return STATUS_USAGE;
	printf("configuration  %s: good\n", context->config_file);
	if (!store_ping(context->app->store, &p)) {
		printf("database       %s\n", p.detail);
		command_problem(&p);
		return command_status(&p);
	}
	puts("database       good");
	return STATUS_DONE;
}

static bool print_option(void *context, const char *option, const char *value,
			 const char *origin)
{
	(void)context;
	printf("%-32s %-40s # %s\n", option, value, origin);
	return true;
}

int cmd_config(struct command_context *context, int argc, char **argv)
{
	if (!arguments_none(context, argc, argv))
		return STATUS_USAGE;
	return config_each(context->app->config, print_option, NULL) ? STATUS_DONE
								     : STATUS_NO;
}
