/*
 * The counts in the text format of Prometheus. Every line there can be is there, also at 0:
 * a rate is blind to the first event of a line that was not.
 */
#include <inttypes.h>
#include <stdio.h>

#include "autoconf.h"
#include "metrics.h"

static const char *const patterns[METRICS_PATHS] = {
#define METRICS_PATH(name, pattern) pattern,
#include "metrics.def"
};

static const int statuses[METRICS_STATUSES] = {
#define METRICS_STATUS(status) (status),
#include "metrics.def"
};

static const char *const fetches[METRICS_FETCHES] = {
#define METRICS_FETCH(name, outcome) outcome,
#include "metrics.def"
};

static const char *const faults[METRICS_DBS] = {
#define METRICS_DB(name, kind) kind,
#include "metrics.def"
};

static const char *const bounds[METRICS_BUCKETS] = {
#define METRICS_BOUND(limit, text) text,
#include "metrics.def"
	"+Inf",
};

const char *metrics_path_pattern(enum metrics_path path)
{
	return patterns[path];
}

static void head(struct buffer *b, const char *name, const char *type, const char *help)
{
	buffer_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void print_requests(struct buffer *b, const struct metrics_counts *counts)
{
	head(b, "pintle_requests_total", "counter", "Requests by path and status.");
	for (size_t path = 0; path < METRICS_PATHS; path++)
		for (size_t i = 0; i < METRICS_STATUSES; i++) {
			char status[8] = "other";

			if (statuses[i])
				snprintf(status, sizeof(status), "%d", statuses[i]);
			buffer_printf(b,
				      "pintle_requests_total{path=\"%s\",status=\"%s\"} "
				      "%" PRIu64 "\n",
				      patterns[path], status, counts->requests[path][i]);
		}
}

/* What never ends a login, or the check of a token. */
static bool is_of_login(enum problem_kind kind)
{
	return kind != PROBLEM_NONE && kind != PROBLEM_NO_SESSION &&
	       kind != PROBLEM_NOT_FOUND && kind != PROBLEM_METHOD_NOT_ALLOWED &&
	       kind != PROBLEM_CONFIG;
}

static bool is_of_token(enum problem_kind kind)
{
	return (kind >= PROBLEM_TOKEN_MALFORMED && kind <= PROBLEM_TOKEN_CLAIMS) ||
	       (kind >= PROBLEM_EMAIL_MISSING && kind <= PROBLEM_EMAIL_REFUSED) ||
	       kind == PROBLEM_KEYS_AWAY;
}

static void print_login(struct buffer *b, const char *outcome, const char *reason,
			uint64_t n)
{
	buffer_printf(b,
		      "pintle_logins_total{outcome=\"%s\",reason=\"%s\"} %" PRIu64 "\n",
		      outcome, reason, n);
}

static void print_logins(struct buffer *b, const struct metrics_counts *counts)
{
	head(b, "pintle_logins_total", "counter",
	     "Logins by outcome; reason as in the log, empty for those that worked.");
	print_login(b, "created", "", counts->logins[PROBLEM_KINDS]);
	print_login(b, "returned", "", counts->logins[PROBLEM_NONE]);
	for (int kind = 0; kind < PROBLEM_KINDS; kind++) {
		const struct problem_row *row = problem_row(kind);

		if (is_of_login(kind))
			print_login(b, row->status >= 500 ? "failed" : "refused",
				    row->cause, counts->logins[kind]);
	}
}

static void print_tokens(struct buffer *b, const struct metrics_counts *counts)
{
	static const char *const issuers[METRICS_ISSUERS] = { "provider", "own" };

	head(b, "pintle_token_checks_total", "counter",
	     "Checks of tokens, those of providers and our own; result is good or the "
	     "reason.");
	for (size_t i = 0; i < METRICS_ISSUERS; i++)
		for (int kind = 0; kind < PROBLEM_KINDS; kind++)
			if (kind == PROBLEM_NONE || is_of_token(kind))
				buffer_printf(b,
					      "pintle_token_checks_total{issuer=\"%s\","
					      "result=\"%s\"} %" PRIu64 "\n",
					      issuers[i],
					      kind ? problem_row(kind)->cause : "good",
					      counts->tokens[i][kind]);
}

static void print_list(struct buffer *b, const char *name, const char *label,
		       const char *const *values, const _Atomic uint64_t *counts,
		       size_t n)
{
	for (size_t i = 0; i < n; i++)
		buffer_printf(b, "%s{%s=\"%s\"} %" PRIu64 "\n", name, label, values[i],
			      counts[i]);
}

/* LABELS is "" or ends with a comma. The count is the sum of what was read, so that it fits. */
static void print_histogram(struct buffer *b, const char *name, const char *labels,
			    const struct metrics_histogram *h)
{
	const size_t len = strlen(labels);
	const char *open = len ? "{" : "", *close = len ? "}" : "";
	const int shown = len ? (int)len - 1 : 0;
	uint64_t count = 0, sum = h->sum_us;

	for (size_t i = 0; i < METRICS_BUCKETS; i++) {
		count += h->buckets[i];
		buffer_printf(b, "%s_bucket{%sle=\"%s\"} %" PRIu64 "\n", name, labels,
			      bounds[i], count);
	}
	buffer_printf(b, "%s_sum%s%.*s%s %" PRIu64 ".%06" PRIu64 "\n", name, open, shown,
		      labels, close, sum / 1000000, sum % 1000000);
	buffer_printf(b, "%s_count%s%.*s%s %" PRIu64 "\n", name, open, shown, labels,
		      close, count);
}

static void print_times(struct buffer *b, const struct metrics_counts *counts)
{
	char labels[48];

	head(b, "pintle_request_duration_seconds", "histogram",
	     "From the request to its answer, by path.");
	for (size_t path = 0; path < METRICS_PATHS; path++) {
		snprintf(labels, sizeof(labels), "path=\"%s\",", patterns[path]);
		print_histogram(b, "pintle_request_duration_seconds", labels,
				&counts->request_times[path]);
	}
	head(b, "pintle_database_commit_seconds", "histogram",
	     "How long a COMMIT takes.");
	print_histogram(b, "pintle_database_commit_seconds", "", &counts->commit_times);
	head(b, "pintle_key_fetch_duration_seconds", "histogram",
	     "How long the fetch of a key set takes.");
	print_histogram(b, "pintle_key_fetch_duration_seconds", "", &counts->fetch_times);
}

bool metrics_print(struct buffer *b, struct problem *p)
{
	const struct metrics_counts *counts;
	int64_t since;

	counts = metrics_read(&since, p);
	if (!counts)
		return false;
	head(b, "pintle_build_info", "gauge", "The version that answers; always 1.");
	buffer_printf(b, "pintle_build_info{version=\"%s\"} 1\n", VERSION);
	head(b, "pintle_counts_since_seconds", "gauge",
	     "When the counts of this state_dir began at 0, in seconds since 1970.");
	buffer_printf(b, "pintle_counts_since_seconds %" PRId64 "\n", since);
	print_requests(b, counts);
	print_logins(b, counts);
	print_tokens(b, counts);
	head(b, "pintle_key_fetches_total", "counter", "Fetches of key sets by outcome.");
	print_list(b, "pintle_key_fetches_total", "outcome", fetches, counts->fetches,
		   METRICS_FETCHES);
	head(b, "pintle_database_errors_total", "counter",
	     "Errors of the database by kind.");
	print_list(b, "pintle_database_errors_total", "kind", faults, counts->db,
		   METRICS_DBS);
	print_times(b, counts);
	return true;
}
