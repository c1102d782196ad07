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
	{ "config", NULL, "", "every option, its value and where that came from",
	  cmd_config },
	{ "db", "migrate", "", "create the tables, or bring them up to date",
	  cmd_db_migrate },
	{ "db", "status", "", "the server, and the schema's version", cmd_db_status },
	{ "doctor", NULL, "[--url URL] [--socket PATH]",
	  "all that can be wrong between here and a login, each with its cure",
	  cmd_doctor },
	{ "explain", NULL, "",
	  "a token on stdin: every check, and what the login would do", cmd_explain },
	{ "user", "list", "[USER | PREFIX*] [--limit N] [--after ID|EMAIL]",
	  "all, the one, or those whose email begins so", cmd_user_list },
	{ "user", "show", "USER", "a user, and how many identities and sessions",
	  cmd_user_show },
	{ "user", "create", "EMAIL|PHONE...", "before the first login", cmd_user_create },
	{ "user", "disable", "USER", "no more logins; all sessions end at once",
	  cmd_user_disable },
	{ "user", "enable", "USER", "logins again", cmd_user_enable },
	{ "user", "export", "USER", "all that is known of a person, as JSON",
	  cmd_user_export },
	{ "user", "erase", "[--yes] USER",
	  "forget a person: user, identities, sessions, invite", cmd_user_erase },
	{ "session", "list", "[--user USER] [--limit N] [--after ID]",
	  "those that are alive", cmd_session_list },
	{ "session", "revoke", "ID | --user USER", "end one, or all of a user",
	  cmd_session_revoke },
	{ "session", "purge", "", "remove what has expired", cmd_session_purge },
	{ "invite", "add", "EMAIL...",
	  "let them sign up, once (accounts.signup = \"invited\")", cmd_invite_add },
	{ "invite", "list", "[--limit N] [--after EMAIL]", "used or not",
	  cmd_invite_list },
	{ "invite", "remove", "EMAIL...", "take invitations back", cmd_invite_remove },
	{ "provider", "list", "", "the providers, and the keys at hand",
	  cmd_provider_list },
	{ "provider", "refresh", "[NAME...]", "fetch their key sets now",
	  cmd_provider_refresh },
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

int command_status(const struct problem *p)
{
	return problem_row(p->kind)->status == 503 ? STATUS_TRY_AGAIN : STATUS_CONFIG;
}

static void print_words(const struct command *c, char out[96])
{
	snprintf(out, 96, "%s%s%s%s%s", c->group, c->name ? " " : "",
		 c->name ? c->name : "", *c->arguments ? " " : "", c->arguments);
}

int command_usage(const struct command_context *context, const char *wrong)
{
	char words[96];

	print_words(context->command, words);
	fprintf(stderr, "pintlectl: %s\nusage: pintlectl [-c FILE] [--json] %s\n", wrong,
		words);
	return STATUS_USAGE;
}

static bool is_group(const char *group)
{
	for (size_t i = 0; group && i < COMMANDS; i++)
		if (commands[i].name && strcmp(commands[i].group, group) == 0)
			return true;
	return false;
}

/* Of one group, if there is that group; else of all. */
static void print_usage(FILE *out, const char *group)
{
	const char *only = is_group(group) ? group : NULL;

	fputs("usage: pintlectl [-c FILE] [--json] COMMAND\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++) {
		const struct command *c = &commands[i];
		char words[96];

		if (only && strcmp(c->group, only) != 0)
			continue;
		print_words(c, words);
		if (strlen(words) <= 28)
			fprintf(out, "  %-28s %s\n", words, c->help);
		else
			fprintf(out, "  %s\n%31s%s\n", words, "", c->help);
	}
	if (!only)
		fputs("\nUSER is an id, an email or a phone number: 42, "
		      "alice@example.com, "
		      "+12025550123.\n",
		      out);
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
	struct config *config;
	int status;

	context->command = command;
	/* To the doctor a bad configuration is a finding. */
	if (command->run != cmd_doctor) {
		config = config_load(context->config_file, error);
		if (!config) {
			fprintf(stderr, "pintlectl: %s\n", error);
			return STATUS_CONFIG;
		}
		context->app = app_new(config);
	}
	context->arena = arena_new();
	status = command->run(context, argc, argv);
	/* What a full disk cut short is not done, though nobody noticed while it was written. */
	if (fflush(stdout) || ferror(stdout)) {
		fputs("pintlectl: the output could not be written\n", stderr);
		status = STATUS_NO;
	}
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
			print_usage(stdout, NULL);
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
		print_usage(stderr, argv[optind]);
		return STATUS_USAGE;
	}
	return run(command, &context, argc - optind - words, argv + optind + words);
}
