#include <stdio.h>

#include "arguments.h"
#include "json.h"
#include "migrations.h"
#include "progress.h"

/* A large table is altered for as long as that takes; this is in nobody's way. */
#define MIGRATE_TIMEOUT_S (7 * 86400)

static void print_done(const struct store_migration *m)
{
	printf("applied %04d %s\n", m->version, m->name);
}

static void print_done_json(const struct store_migration *m)
{
	printf("{\"applied\":%d,\"name\":\"%s\"}\n", m->version, m->name);
}

int cmd_db_migrate(struct command_context *context, int argc, char **argv)
{
	struct problem p = { 0 };
	struct progress *progress;
	bool good;

	if (!arguments_none(context, argc, argv))
		return STATUS_USAGE;
	/* Read when a connection is opened, and none is yet. */
	context->app->config->database.query_timeout_s = MIGRATE_TIMEOUT_S;
	progress = progress_new("migrating");
	good = store_migrate(context->app->store, migrations, migration_count,
			     context->now, context->json ? print_done_json : print_done,
			     &p);
	progress_free(progress);
	if (!good)
		return command_problem(&p);
	printf(context->json ? "{\"version\":%d}\n" : "the schema is at version %d\n",
	       STORE_SCHEMA_VERSION);
	return STATUS_DONE;
}

static void print_json(const struct command_context *context, const char *server,
		       int version, int needed, const char *keys)
{
	struct buffer b = buffer_new(context->arena, 256);

	json_begin(&b, NULL, '{');
	json_add_string(&b, "server", text_of(server));
	json_add_number(&b, "version", version);
	json_add_number(&b, "needed", needed);
	json_add_string(&b, "keys", text_of(keys));
	json_end(&b, '}');
	printf("%.*s\n", TEXT_ARG(buffer_text(&b)));
}

int cmd_db_status(struct command_context *context, int argc, char **argv)
{
	struct problem p = { 0 };
	char server[256];
	struct problem unfit = { 0 };
	bool current, fit;
	int version, needed;

	if (!arguments_none(context, argc, argv))
		return STATUS_USAGE;
	if (!store_describe(context->app->store, server, sizeof(server), &p) ||
	    !store_schema_version(context->app->store, &version, &p))
		return command_problem(&p);
	needed = store_needs_tables(context->app->store) ? STORE_SCHEMA_VERSION : 0;
	current = version == needed || !needed;
	fit = store_check(context->app->store, &unfit);
	if (context->json)
		print_json(context, server, version, needed, fit ? "good" : unfit.detail);
	else
		printf("server   %s\nschema   version %d, needed %d\nkeys     %s\n",
		       server, version, needed,
		       fit ? "UNIQUE, and compared byte for byte" : unfit.detail);
	if (current)
		return fit ? STATUS_DONE : command_status(&unfit);
	if (!context->json)
		puts(version < STORE_SCHEMA_VERSION
			     ? "cure     pintlectl db migrate"
			     : "cure     a newer pintle: this database is ahead of it");
	return STATUS_NO;
}
