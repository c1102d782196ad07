/* What pintlectl's subcommands share. */
#ifndef PINTLE_COMMAND_H
#define PINTLE_COMMAND_H

#include "app.h"

/* Exit statuses (SPEC section 8). */
enum exit_status {
	STATUS_DONE = 0,
	STATUS_NO = 1,
	STATUS_USAGE = 2,
	STATUS_TRY_AGAIN = 75,
	STATUS_CONFIG = 78,
};

struct command_context {
	const struct command *command; /* the one that runs */
	struct app *app;	       /* NULL for a command that needs none */
	const char *config_file;
	bool json; /* for programs instead of people */
	struct arena *arena;
	int64_t now;
};

struct command {
	const char *group, *name; /* "db" "migrate"; NAME is NULL for a group of one */
	const char *arguments, *help;
	int (*run)(struct command_context *context, int argc, char **argv);
};

/* Prints a problem for a person and gives the exit status that it calls for. */
int command_problem(const struct problem *p);

/* Of what makes the start refuse (store_check): 75, or 78 where it is not fit to start. */
int command_status(const struct problem *p);

/* Says what is WRONG with how the command was used, and how it is used. STATUS_USAGE. */
int command_usage(const struct command_context *context, const char *wrong);

int cmd_check(struct command_context *context, int argc, char **argv);
int cmd_config(struct command_context *context, int argc, char **argv);
int cmd_db_migrate(struct command_context *context, int argc, char **argv);
int cmd_db_status(struct command_context *context, int argc, char **argv);
int cmd_doctor(struct command_context *context, int argc, char **argv);
int cmd_explain(struct command_context *context, int argc, char **argv);
int cmd_invite_add(struct command_context *context, int argc, char **argv);
int cmd_invite_list(struct command_context *context, int argc, char **argv);
int cmd_invite_remove(struct command_context *context, int argc, char **argv);
int cmd_keys_list(struct command_context *context, int argc, char **argv);
int cmd_keys_rotate(struct command_context *context, int argc, char **argv);
int cmd_provider_list(struct command_context *context, int argc, char **argv);
int cmd_provider_refresh(struct command_context *context, int argc, char **argv);
int cmd_session_list(struct command_context *context, int argc, char **argv);
int cmd_session_purge(struct command_context *context, int argc, char **argv);
int cmd_session_revoke(struct command_context *context, int argc, char **argv);
int cmd_user_create(struct command_context *context, int argc, char **argv);
int cmd_user_disable(struct command_context *context, int argc, char **argv);
int cmd_user_enable(struct command_context *context, int argc, char **argv);
int cmd_user_erase(struct command_context *context, int argc, char **argv);
int cmd_user_export(struct command_context *context, int argc, char **argv);
int cmd_user_list(struct command_context *context, int argc, char **argv);
int cmd_user_show(struct command_context *context, int argc, char **argv);

#endif
