#include <stdio.h>

#include "command.h"
#include "migrations.h"

static void print_done(const struct store_migration *m)
{
	printf("applied %04d %s\n", m->version, m->name);
}

int cmd_db_migrate(struct command_context *context, int argc, char **argv)
{
	struct problem p = { 0 };

	(void)argc, (void)argv;
	if (!store_migrate(context->app->store, migrations, migration_count, context->now,
			   print_done, &p))
		return command_problem(&p);
	printf("the schema is at version %d\n", STORE_SCHEMA_VERSION);
	return STATUS_DONE;
}

int cmd_db_status(struct command_context *context, int argc, char **argv)
{
	struct problem p = { 0 };
	char server[256];
	int version;

	(void)argc, (void)argv;
	if (!store_describe(context->app->store, server, sizeof(server), &p) ||
	    !store_schema_version(context->app->store, &version, &p))
		return command_problem(&p);
	if (context->json)
		printf("{\"server\":\"%s\",\"version\":%d,\"needed\":%d}\n", server, version,
		       STORE_SCHEMA_VERSION);
	else
		printf("server   %s\nschema   version %d, needed %d\n", server, version,
		       STORE_SCHEMA_VERSION);
	if (version == STORE_SCHEMA_VERSION)
		return STATUS_DONE;
	if (!context->json)
		puts(version < STORE_SCHEMA_VERSION
			     ? "cure     pintlectl db migrate"
			     : "cure     a newer pintle: this database is ahead of it");
	return STATUS_NO;
}
