/* pintlectl: the administrator's command. A table of subcommands. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "autoconf.h"
#include "command.h"
#include "log.h"

static const struct command commands[] = {
	{ "check", NULL, "", "is the configuration good, and does the database answer?",
	  cmd_check },
	{ "config", NULL, "", "every option, its value and where that came from", cmd_config },
	{ "db", "migrate", "", "create the tables, or bring them up to date", cmd_db_migrate },
	{ "db", "status", "", "the server, and the schema's version", cmd_db_status },
	{ "explain", NULL, "", "a token on stdin: every check, and what the login would do",
	  cmd_explain },
	{ "provider", "list", "", "the providers, and the keys at hand", cmd_provider_list },
	{ "provider", "refresh", "[NAME...]", "fetch their key sets now", cmd_provider_refresh },
	{ "keys", "list", "", "our own signing keys (session mode jwt)", cmd_keys_list },
	{ "keys", "rotate", "", "make a new one; the old ones are honoured while needed",
	  cmd_keys_rotate },
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

int command_problem(const struct problem *p)
{
	fprintf(stderr, "pintlectl: %s\n", p->detail);
	return problem_row(p->kind)->status == 503 ? STATUS_TRY_AGAIN : STATUS_NO;
}

static void print_usage(FILE *out)
{
	fputs("usage: pintlectl [-c FILE] [--json] COMMAND\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++) {
		const struct command *c = &commands[i];
		char words[64];

		snprintf(words, sizeof(words), "%s%s%s %s", c->group, c->name ? " " : "",
			 c->name ? c->name : "", c->arguments);
		fprintf(out, "  %-28s %s\n", words, c->help);
	}
}

static const struct command *find_command(int argc, char **argv, int *words)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		const struct command *c = &commands[i];

		*words = c->name ? 2 : 1;
		if (argc >= *words && strcmp(argv[0], c->group) == 0 &&
		    (!c->name || strcmp(argv[1], c->name) == 0))
			return c;
	}
	return NULL;
}

static int run(const struct command *command, struct command_context *context, int argc,
	       char **argv)
{
	char error[CONFIG_ERROR_SIZE];
	struct config *config = config_load(context->config_file, error);
	int status;

	if (!config) {
		fprintf(stderr, "pintlectl: %s\n", error);
		return STATUS_CONFIG;
	}
	context->app = app_new(config);
	context->arena = arena_new();
	status = command->run(context, argc, argv);
	arena_free(context->arena);
	app_free(context->app);
	return status;
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ 0 },
	};
	struct command_context context = { .config_file = config_default_file(),
					   .now = time(NULL) };
	const struct command *command;
	int option, words;

	while ((option = getopt_long(argc, argv, "+c:h", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			context.config_file = optarg;
			break;
		case 'j':
			context.json = true;
			break;
		case 'h':
			print_usage(stdout);
			return STATUS_DONE;
		case 'v':
			puts("pintlectl " VERSION);
			return STATUS_DONE;
		default:
			return STATUS_USAGE;
		}
	}
	command = find_command(argc - optind, argv + optind, &words);
	if (!command) {
		print_usage(stderr);
		return STATUS_USAGE;
	}
	return run(command, &context, argc - optind - words, argv + optind + words);
}
