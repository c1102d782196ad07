/*
 * Requests over kept connections, as fast as they are answered or at a rate, for scripts/bench:
 *
 *   load --port PORT --template FILE --items FILE [--skip N] [--clients N] [--seconds S]
 *        [--rate R]
 *
 * The template is a whole HTTP request; "@@" in it stands for an item, one a line, taken in
 * turn, and "@#" for the length of the body. One JSON line tells what came back. At a rate the
 * time of a request counts from when it was due, so that a stall is not hidden by the requests
 * that were not sent during it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 1024
#define ANSWER_MAX 65536
#define SAMPLES_MAX (4 * 1000 * 1000)

struct client {
	int fd; /* -1: to be opened */
	bool busy, fresh;
	double due; /* when the request was to be sent */
	char *request;
	size_t request_len;
	char answer[ANSWER_MAX + 1];
	size_t have;
};

static int port, client_count = 1;
static double seconds_wanted = 1, rate;
static char *template, **items;
static size_t item_count, next_item;
static struct client *clients;
static float *samples; /* milliseconds */
static size_t sample_count;
static unsigned long by_status[600], errors;
static double started, ends;
static unsigned long sent;
static int poller;

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	size_t size = 0, capacity = 0;
	char *data = NULL;

	if (!f)
		die(path);
	do {
		capacity = capacity ? capacity * 2 : 65536;
		data = realloc(data, capacity + 1);
		if (!data)
			die("memory");
		size += fread(data + size, 1, capacity - size, f);
	} while (size == capacity);
	fclose(f);
	data[size] = '\0';
	return data;
}

static void read_items(const char *path)
{
	char *data = read_file(path), *line, *rest = data;
	size_t capacity = 0;

	while ((line = strsep(&rest, "\n"))) {
		if (!*line)
			continue;
		if (item_count == capacity) {
			capacity = capacity ? capacity * 2 : 1024;
			items = realloc(items, capacity * sizeof(*items));
			if (!items)
				die("memory");
		}
		items[item_count++] = line;
	}
	if (!item_count) {
		fprintf(stderr, "load: %s is empty\n", path);
		exit(1);
	}
}

/* ---- requests */

static size_t put(char *out, const char *from, size_t len)
{
	if (out)
		memcpy(out, from, len);
	return len;
}

/* The template with ITEM and LENGTH in it, into OUT if that is not NULL. */
static size_t fill(char *out, const char *item, const char *length)
{
	const char *at = template, *mark;
	size_t len = 0;

	while ((mark = strchr(at, '@'))) {
		const char *value = mark[1] == '@'   ? item
				    : mark[1] == '#' ? length
						     : NULL;

		len += put(out ? out + len : NULL, at, (size_t)(mark - at) + !value);
		at = mark + 1;
		if (!value)
			continue;
		len += put(out ? out + len : NULL, value, strlen(value));
		at++;
	}
	return len + put(out ? out + len : NULL, at, strlen(at));
}

static void make_request(struct client *c)
{
	const char *item = items[next_item++ % item_count];
	const char *body;
	char length[24] = "0";

	c->request_len = fill(NULL, item, length);
	c->request = realloc(c->request, c->request_len + 32);
	if (!c->request)
		die("memory");
	c->request[fill(c->request, item, length)] = '\0';
	body = strstr(c->request, "\r\n\r\n");
	if (!body) {
		fputs("load: the template has no empty line\n", stderr);
		exit(1);
	}
	snprintf(length, sizeof(length), "%zu", strlen(body + 4));
	c->request_len = fill(c->request, item, length);
}

static void open_client(struct client *c)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
					.sin_port = htons((uint16_t)port),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
	const int one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (const void *)&to, sizeof(to)))
		die("connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event))
		die("epoll");
	c->fresh = true;
}

static void close_client(struct client *c)
{
	close(c->fd);
	c->fd = -1;
}

static void send_request(struct client *c)
{
	for (int tries = 0; tries < 2; tries++) {
		if (c->fd < 0)
			open_client(c);
		/* Requests are small: they fit into the socket's buffer. */
		if (send(c->fd, c->request, c->request_len, MSG_NOSIGNAL) ==
		    (ssize_t)c->request_len)
			break;
		close_client(c);
	}
	c->have = 0;
	c->busy = true;
}

static void begin(struct client *c, double due)
{
	make_request(c);
	c->due = due;
	sent++;
	send_request(c);
}

/* ---- answers */

static const char *header(const struct client *c, const char *name)
{
	const size_t len = strlen(name);

	for (const char *line = strstr(c->answer, "\r\n"); line;
	     line = strstr(line + 2, "\r\n")) {
		if (strncmp(line, "\r\n\r\n", 4) == 0)
			return NULL;
		if (strncasecmp(line + 2, name, len) == 0)
			return line + 2 + len + strspn(line + 2 + len, " ");
	}
	return NULL;
}

static bool is_whole(const struct client *c, int status)
{
	const char *end = strstr(c->answer, "\r\n\r\n"), *value;

	if (!end)
		return false;
	if (status == 204 || status == 304)
		return true;
	value = header(c, "Content-Length:");
	if (value)
		return c->have >=
		       (size_t)(end + 4 - c->answer) + strtoul(value, NULL, 10);
	return c->have >= 5 && memcmp(c->answer + c->have - 5, "0\r\n\r\n", 5) == 0;
}

static void finish(struct client *c, int status)
{
	const char *connection = header(c, "Connection:");

	by_status[status > 0 && status < 600 ? status : 0]++;
	if (sample_count < SAMPLES_MAX)
		samples[sample_count++] = (float)((now() - c->due) * 1e3);
	c->busy = false;
	c->fresh = false;
	if (connection && strncasecmp(connection, "close", 5) == 0)
		close_client(c);
}

static void receive(struct client *c)
{
	const ssize_t got = recv(c->fd, c->answer + c->have, ANSWER_MAX - c->have, 0);
	int status = 0;

	if (got <= 0) {
		const bool stale = !c->have && !c->fresh;

		close_client(c);
		/* A kept connection that the server closed meanwhile is opened again. */
		if (c->busy && stale) {
			send_request(c);
		} else if (c->busy) {
			errors++;
			c->busy = false;
		}
		return;
	}
	c->have += (size_t)got;
	c->answer[c->have] = '\0';
	sscanf(c->answer, "HTTP/1.%*d %d", &status);
	if (c->busy && is_whole(c, status))
		finish(c, status);
}

/* ---- the run */

static void begin_what_is_due(void)
{
	const double t = now();

	for (int i = 0; i < client_count && t < ends; i++) {
		const double due = rate > 0 ? started + (double)sent / rate : t;

		if (clients[i].busy)
			continue;
		if (due > t)
			return;
		begin(&clients[i], due);
	}
}

static bool any_busy(void)
{
	for (int i = 0; i < client_count; i++)
		if (clients[i].busy)
			return true;
	return false;
}

static void run(void)
{
	struct epoll_event events[64];

	started = now();
	ends = started + seconds_wanted;
	/* What is on its way at the end is waited for, for ten seconds more. */
	while (now() < ends || (any_busy() && now() < ends + 10)) {
		int count;

		begin_what_is_due();
		count = epoll_wait(poller, events, 64, rate > 0 ? 1 : 100);
		for (int i = 0; i < count; i++)
			receive(events[i].data.ptr);
	}
	for (int i = 0; i < client_count; i++)
		errors += clients[i].busy;
}

static int compare(const void *a, const void *b)
{
	const float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static double percentile(double p)
{
	return sample_count ? (double)samples[(size_t)(p * (double)(sample_count - 1))]
			    : 0;
}

static void report(void)
{
	const char *comma = "";

	qsort(samples, sample_count, sizeof(*samples), compare);
	printf("{\"answers\":%zu,\"per_s\":%.1f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_"
	       "ms\":%.3f,"
	       "\"errors\":%lu,\"status\":{",
	       sample_count, (double)sample_count / (ends - started), percentile(.5),
	       percentile(.99), percentile(1), errors);
	for (int i = 0; i < 600; i++)
		if (by_status[i]) {
			printf("%s\"%d\":%lu", comma, i, by_status[i]);
			comma = ",";
		}
	puts("}}");
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "port", required_argument, NULL, 'p' },
		{ "template", required_argument, NULL, 't' },
		{ "items", required_argument, NULL, 'i' },
		{ "skip", required_argument, NULL, 'k' },
		{ "clients", required_argument, NULL, 'c' },
		{ "seconds", required_argument, NULL, 's' },
		{ "rate", required_argument, NULL, 'r' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'p':
			port = atoi(optarg);
			break;
		case 't':
			template = read_file(optarg);
			break;
		case 'i':
			read_items(optarg);
			break;
		case 'k':
			next_item = (size_t)atol(optarg);
			break;
		case 'c':
			client_count = atoi(optarg);
			break;
		case 's':
			seconds_wanted = atof(optarg);
			break;
		case 'r':
			rate = atof(optarg);
			break;
		default:
			return 2;
		}
	}
	if (!port || !template || !items || client_count < 1 ||
	    client_count > CLIENTS_MAX) {
		fputs("usage: load --port PORT --template FILE --items FILE [--skip N]"
		      " [--clients N] [--seconds S] [--rate R]\n",
		      stderr);
		return 2;
	}
	poller = epoll_create1(EPOLL_CLOEXEC);
	clients = calloc((size_t)client_count, sizeof(*clients));
	samples = malloc(SAMPLES_MAX * sizeof(*samples));
	if (poller < 0 || !clients || !samples)
		die("memory");
	for (int i = 0; i < client_count; i++)
		clients[i].fd = -1;
	run();
	report();
	return 0;
}
