#include "db_private.h"
#include "metrics.h"

static enum db_fault classify(unsigned number)
{
	switch (number) {
	case 1020: /* ER_CHECKREAD: MariaDB's snapshot isolation */
	case 1205: /* ER_LOCK_WAIT_TIMEOUT */
	case 1213: /* ER_LOCK_DEADLOCK, also a certification failure in a cluster */
	case 3101: /* ER_TRANSACTION_ROLLBACK_DURING_COMMIT, Group Replication */
		return DB_AGAIN;
	case 1040: /* ER_CON_COUNT_ERROR */
	case 1047: /* WSREP: the node is not part of the cluster */
	case 1053: /* ER_SERVER_SHUTDOWN */
	case 1243: /* ER_UNKNOWN_STMT_HANDLER */
	case 1290: /* ER_OPTION_PREVENTS_STATEMENT: read-only after a failover */
	case 1792: /* ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION */
	case 1836: /* ER_READ_ONLY_MODE */
	case 1927: /* ER_CONNECTION_KILLED */
	case 3032: /* ER_SERVER_OFFLINE_MODE: expelled from its group */
	case 3100: /* ER_RUN_HOOK_ERROR: Group Replication is stopping, or in error */
	case 3169: /* ER_SESSION_WAS_KILLED */
	case 3796: /* ER_GRP_TRX_CONSISTENCY_...: what the group has done is not known here */
	case 3797:
	case 3798:
	case 3799:
	case 4031: /* ER_CLIENT_INTERACTION_TIMEOUT */
		return DB_LOST;
	case 1146: /* ER_NO_SUCH_TABLE */
		return DB_NO_TABLE;
	default:
		/* The client's own: where its protocol broke is anybody's guess. */
		return (number >= 2000 && number < 3000) ||
				       (number >= 5000 && number < 6000)
			       ? DB_LOST
			       : DB_OTHER;
	}
}

/*
 * The host is there, but read-only, leaving, or cut off from its cluster: another one serves
 * meanwhile, and to connect to this one again would work and change nothing.
 */
static bool is_unfit(unsigned number)
{
	return number == 1047 || number == 1053 || number == 1290 || number == 1792 ||
	       number == 1836 || number == 3032 || number == 3100 ||
	       (number >= 3796 && number <= 3799);
}

const char *db_error_meaning(unsigned error)
{
	switch (error) {
	case 1040: /* ER_CON_COUNT_ERROR */
		return " (the server has too many connections)";
	case 1044: /* ER_DBACCESS_DENIED_ERROR */
	case 1045: /* ER_ACCESS_DENIED_ERROR */
	case 1698: /* ER_ACCESS_DENIED_NO_PASSWORD_ERROR */
		return " (access denied: database.user or its password)";
	case 1048: /* ER_BAD_NULL_ERROR */
		return " (a column may not be NULL)";
	case 1049: /* ER_BAD_DB_ERROR */
		return " (there is no such database)";
	case 1142: /* ER_TABLEACCESS_DENIED_ERROR */
	case 1143: /* ER_COLUMNACCESS_DENIED_ERROR */
		return " (the account lacks a right on the table)";
	case 1146: /* ER_NO_SUCH_TABLE */
		return " (no such table: pintlectl db migrate)";
	case 1290: /* ER_OPTION_PREVENTS_STATEMENT */
		return " (the server is read-only)";
	case 1364: /* ER_NO_DEFAULT_FOR_FIELD */
		return " (a column gets no value and has no default)";
	case 1406: /* ER_DATA_TOO_LONG */
		return " (a value is too long for its column)";
	case 1452: /* ER_NO_REFERENCED_ROW_2 */
		return " (a foreign key of the table is not met)";
	case 2002: /* CR_CONNECTION_ERROR */
	case 2003: /* CR_CONN_HOST_ERROR */
		return " (no server answers there)";
	default:
		return "";
	}
}

#define CERTIFICATE(what) " (TLS: the server's certificate " what ")"
#define NOT_TRUSTED "of a CA that is not trusted: ca_file"

const char *db_tls_meaning(const char *words)
{
	/* The first that fits. MariaDB's client of 11.4 and later has words of its own. */
	static const struct {
		const char *words, *meaning;
	} known[] = {
		{ "valid or expired", CERTIFICATE("has expired, or is not valid yet") },
		{ "expired", CERTIFICATE("has expired") },
		{ "not yet valid", CERTIFICATE("is not valid yet") },
		{ "issuer certificate", CERTIFICATE("is " NOT_TRUSTED) },
		{ "not trusted", CERTIFICATE("is " NOT_TRUSTED) },
		{ "self-signed", CERTIFICATE("is signed by itself, or " NOT_TRUSTED) },
		{ "self signed", CERTIFICATE("is signed by itself, or " NOT_TRUSTED) },
		{ "Validation of SSL", CERTIFICATE("is another host's") },
		{ "Hostname", CERTIFICATE("is another host's") },
		{ "verify failed", /* all that MySQL's client tells */
		  CERTIFICATE("is another host's, has expired, or is " NOT_TRUSTED) },
		{ "support", " (TLS: the server offers none)" },
		{ "", " (TLS: not as database.tls asks for it)" },
	};
	size_t i = 0;

	/* It has not complained: the connection stands, and is_encrypted_as_set refused it. */
	if (!*words)
		words = "support";
	while (!strstr(words, known[i].words))
		i++;
	return known[i].meaning;
}

bool db_error_is_ours(unsigned error)
{
	return error == 1048 || error == 1264 || error == 1292 || error == 1364 ||
	       error == 1366 || error == 1406 || error == 1452;
}

bool db_fail(struct db_link *link, unsigned error, const char *what, struct problem *p)
{
	static const enum metrics_db counted[] = {
		[DB_LOST] = METRICS_DB_LOST,	     [DB_AGAIN] = METRICS_DB_AGAIN,
		[DB_NO_TABLE] = METRICS_DB_NO_TABLE, [DB_OTHER] = METRICS_DB_OTHER,
		[DB_FINE] = METRICS_DB_OTHER,
	};

	/* A failure that says nothing of itself is none that left the connection in order. */
	link->fault = error ? classify(error) : DB_LOST;
	link->unfit = is_unfit(error);
	metrics_db(counted[link->fault]);
	if (link->fault == DB_LOST)
		db_close(link);
	return problem(p, DATABASE_AWAY, "%s: error %u%s", what, error,
		       db_error_meaning(error));
}
