#include "db_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "metrics.h"

/* ---- the pool */

struct db *db_new(const struct config *config)
{
	struct db *db = x_alloc(sizeof(*db));
	pthread_condattr_t attributes;

	mysql_library_init(0, NULL, NULL);
	db->config = &config->database;
	db->ca_file = config->ca_file;
	pthread_mutex_init(&db->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&db->returned, &attributes);
	pthread_condattr_destroy(&attributes);
	db->all = x_alloc((size_t)db->config->pool * sizeof(*db->all));
	for (int i = 0; i < db->config->pool; i++) {
		db->all[i].db = db;
		db->all[i].next_free = db->free;
		db->free = &db->all[i];
	}
	return db;
}

void db_free(struct db *db)
{
	if (!db)
		return;
	for (int i = 0; i < db->config->pool; i++)
		db_close(&db->all[i]);
	pthread_cond_destroy(&db->returned);
	pthread_mutex_destroy(&db->mutex);
	free(db->all);
	free(db);
}

/*
 * The connection used last is given out first: the others may close for being idle. But one
 * whose autocommit is as it is wanted goes before: to begin a transaction then takes no trip.
 */
static struct db_link *take_free(struct db *db, bool manual)
{
	struct db_link **at = &db->free, *link;

	while (*at && !((*at)->mysql && (*at)->manual == manual))
		at = &(*at)->next_free;
	if (!*at)
		at = &db->free;
	link = *at;
	if (link)
		*at = link->next_free;
	return link;
}

/* A connection that cannot be brought back to autocommit is closed, and opened anew. */
static void commit_by_itself(struct db_link *link)
{
	if (mysql_autocommit(link->mysql, 1))
		db_close(link);
	link->manual = false;
}

struct db_link *db_take(struct db *db, enum db_use use, struct problem *p)
{
	struct timespec until;
	struct db_link *link;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += db->config->query_timeout_s;
	pthread_mutex_lock(&db->mutex);
	while (!db->free)
		if (pthread_cond_timedwait(&db->returned, &db->mutex, &until))
			break;
	link = take_free(db, use == DB_TRANSACTION);
	pthread_mutex_unlock(&db->mutex);
	if (!link) {
		metrics_db(METRICS_DB_BUSY);
		problem(p, DATABASE_AWAY, "all %d connections are busy",
			db->config->pool);
		return NULL;
	}
	if (use == DB_STATEMENTS && link->manual)
		commit_by_itself(link);
	if (!db_open(db, link, p)) {
		db_give_back(db, link);
		return NULL;
	}
	return link;
}

void db_give_back(struct db *db, struct db_link *link)
{
	pthread_mutex_lock(&db->mutex);
	link->next_free = db->free;
	db->free = link;
	pthread_cond_signal(&db->returned);
	pthread_mutex_unlock(&db->mutex);
}

void db_set_own(struct db *db, size_t index, const char *name, const char *text)
{
	if (index >= DB_OWN_MAX)
		abort();
	db->own[index] = (struct db_text){ name, text };
}

bool db_is_checked(const struct db_link *link)
{
	return link->checked;
}

void db_set_checked(struct db_link *link)
{
	link->checked = true;
}

enum db_fault db_fault(const struct db_link *link)
{
	return link->fault;
}

void store_thread_start(void)
{
	mysql_thread_init();
}

void store_thread_end(void)
{
	mysql_thread_end();
}

/* ---- transactions and texts */

/*
 * With autocommit off the first statement begins a transaction: one trip less for each login
 * than with START TRANSACTION. It stays off until the connection is wanted for something else.
 */
bool db_begin(struct db_link *link, struct problem *p)
{
	if (link->manual)
		return true;
	link->manual = db_run_text(link, AS_TEXT("SET autocommit = 0"), p);
	if (!link->manual)
		db_close(link); /* whatever it is set to now */
	return link->manual;
}

void db_roll_back(struct db_link *link)
{
	/* Where it cannot be said that nothing is left open, the connection goes. */
	if (link->mysql && mysql_rollback(link->mysql))
		db_close(link);
}

bool db_commit(struct db_link *link, struct problem *p)
{
	const uint64_t started = metrics_clock();

	if (!mysql_commit(link->mysql)) {
		metrics_commit(metrics_clock() - started);
		return true;
	}
	db_fail(link, mysql_errno(link->mysql), "COMMIT", p);
	/* Any other error than a conflict leaves it open whether it was done. */
	if (link->fault != DB_AGAIN)
		link->fault = DB_LOST;
	db_close(link);
	return false;
}

bool db_run_text(struct db_link *link, struct text sql, struct problem *p)
{
	char what[48];

	link->fault = DB_FINE;
	if (!mysql_real_query(link->mysql, sql.data, sql.len))
		return true;
	/* The first words of a statement of ours, for the log. */
	snprintf(what, sizeof(what), "%.*s", (int)(sql.len < 40 ? sql.len : 40),
		 sql.data);
	return db_fail(link, mysql_errno(link->mysql), what, p);
}

void db_describe(struct db_link *link, char *out, size_t size)
{
	snprintf(out, size, "%s, %s", mysql_get_server_info(link->mysql),
		 mysql_get_host_info(link->mysql));
}
