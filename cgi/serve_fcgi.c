#include "serve.h"

#include <errno.h>
#include <fastcgi.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "fetcher.h"
#include "log.h"
#include "metrics.h"
#include "notify.h"
#include "sandbox_worker.h"

#define BACKLOG 256
#define IO_TIMEOUT_S 10
#define DRAIN_S 2

/* What the threads share. */
struct server {
	int listener;
	int stop; /* an eventfd: readable once the server is to stop */
	_Atomic time_t stop_by; /* until then the queue is emptied; CLOCK_MONOTONIC */
	pthread_mutex_t mutex; /* for app and its count of users */
	struct serving *serving;
	const struct sandbox *sandbox; /* NULL: none */
};

/* An app and the requests that still use it: a reload must not pull it from under them. */
struct serving {
	struct app *app;
	unsigned users;
};

static struct serving *serving_new(struct app *app)
{
	struct serving *s = x_alloc(sizeof(*s));

	s->app = app;
	s->users = 1;
	return s;
}

static struct serving *serving_take(struct server *server)
{
	struct serving *s;

	pthread_mutex_lock(&server->mutex);
	s = server->serving;
	s->users++;
	pthread_mutex_unlock(&server->mutex);
	return s;
}

static void serving_release(struct server *server, struct serving *s)
{
	bool last;

	pthread_mutex_lock(&server->mutex);
	last = --s->users == 0;
	pthread_mutex_unlock(&server->mutex);
	if (last) {
		app_free(s->app);
		free(s);
	}
}

/* ---- one request */

struct body {
	FCGX_Stream *in;
	bool ended; /* the web server has nothing more to say */
};

static ssize_t read_body(void *context, char *out, size_t size)
{
	struct body *body = context;
	const int got = FCGX_GetStr(out, size < INT32_MAX ? (int)size : INT32_MAX, body->in);

	if (got == 0 && FCGX_GetError(body->in))
		return -1;
	body->ended = body->ended || got == 0;
	return got;
}

static void handle(struct server *server, FCGX_Request *request, struct arena *arena)
{
	struct serving *serving = serving_take(server);
	struct body body = { .in = request->in };
	const struct door door = {
		.role = request->role == FCGI_AUTHORIZER ? ROLE_AUTHORIZER : ROLE_RESPONDER,
		.variables = request->envp,
		.read_body = read_body,
		.context = &body,
	};
	const int64_t now = time(NULL);
	struct response res;
	struct text out;

	answer(serving->app, arena, now, &door, &res, &out);
	FCGX_PutStr(out.data, (int)out.len, request->out);
	/*
	 * libfcgi waits for the web server to close first, as a socket that is closed with
	 * something unread takes the answer with it. Once all was read there is no need to:
	 * three system calls and a switch of tasks less.
	 */
	if (body.ended)
		FCGX_Detach(request);
	FCGX_Finish_r(request);
	answer_after(serving->app, &res, now);
	arena_reset(arena);
	serving_release(server, serving);
}

/* ---- threads */

static bool is_passing(int error)
{
	return error == EAGAIN || error == EINTR || error == EMFILE || error == ENFILE ||
	       error == ENOBUFS || error == ENOMEM || error == ECONNABORTED;
}

static time_t seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* Who stands in the queue already would get no answer if the socket went away now. */
static bool somebody_waits(const struct server *server)
{
	struct pollfd listener = { server->listener, POLLIN, 0 };

	return poll(&listener, 1, 0) > 0 && seconds() < server->stop_by;
}

/*
 * What a thread waits with: for a connection, or for the stop. A connection wakes one thread
 * of one process and not all of them: with poll, 16 threads tried to accept 11 times for
 * each request.
 */
static int waiter_new(const struct server *server)
{
	struct epoll_event connection = { .events = EPOLLIN | EPOLLEXCLUSIVE,
					  .data.fd = server->listener };
	struct epoll_event stop = { .events = EPOLLIN, .data.fd = server->stop };
	const int waiter = epoll_create1(EPOLL_CLOEXEC);

	if (waiter < 0 || epoll_ctl(waiter, EPOLL_CTL_ADD, server->listener, &connection) ||
	    epoll_ctl(waiter, EPOLL_CTL_ADD, server->stop, &stop)) {
		log_event(CONFIG_LOG_ERROR, "epoll", "error %d", errno);
		exit(1);
	}
	return waiter;
}

/* libfcgi's own handling of signals loses requests; here a thread never waits in accept. */
static bool wait_for_request(const struct server *server, int waiter)
{
	struct epoll_event events[2];
	const int count = epoll_wait(waiter, events, 2, -1);

	if (count < 0)
		return errno == EINTR;
	for (int i = 0; i < count; i++)
		if (events[i].data.fd == server->stop)
			return somebody_waits(server);
	return true;
}

static void limit_waiting(int connection)
{
	const struct timeval limit = { IO_TIMEOUT_S, 0 };

	setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static void *work(void *context)
{
	struct server *server = context;
	struct arena *arena = arena_new();
	const int waiter = waiter_new(server);
	FCGX_Request request;

	store_thread_start();
	/* libfcgi never accepts: it would read the parameters without a limit of time. */
	FCGX_InitRequest(&request, -1, FCGI_FAIL_ACCEPT_ON_INTR);
	while (wait_for_request(server, waiter)) {
		const int connection = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);

		if (connection < 0 && !is_passing(errno)) {
			log_event(CONFIG_LOG_ERROR, "accept", "error %d", errno);
			break;
		}
		if (connection < 0) {
			/* Another thread was faster, or something is short for a moment. */
			if (errno != EAGAIN)
				usleep(50000);
			continue;
		}
		limit_waiting(connection);
		request.ipcFd = connection;
		request.keepConnection = 1; /* or it is closed as the end of the one before */
		if (FCGX_Accept_r(&request) < 0)
			continue; /* no FastCGI, or none that ever came; libfcgi closed it */
		/* A kept connection would pin this thread to one web server process. */
		request.keepConnection = 0;
		handle(server, &request, arena);
	}
	FCGX_Free(&request, 1);
	close(waiter);
	store_thread_end();
	arena_free(arena);
	return NULL;
}

/* ---- the server as a whole */

/* What was given up at the start does not come back: a new port, say, needs a restart. */
static bool fits_sandbox(const struct server *server, const struct config *config,
			 const char *config_file)
{
	struct sandbox *wanted;
	const char *what;
	bool fits;

	if (!server->sandbox)
		return true;
	wanted = sandbox_worker_new(config, config_file);
	fits = sandbox_covers(server->sandbox, wanted, &what);
	if (!fits)
		log_event(CONFIG_LOG_ERROR, "reload",
			  "%s is outside the sandbox, a restart is needed; "
			  "the old configuration stays",
			  what);
	sandbox_free(wanted);
	return fits;
}

static void reload(struct server *server, const char *config_file)
{
	char error[CONFIG_ERROR_SIZE];
	struct config *config = config_load(config_file, error);
	struct problem p = { 0 };
	struct serving *old, *fresh;
	struct app *app;

	if (!config) {
		log_event(CONFIG_LOG_ERROR, "reload", "%s; the old configuration stays", error);
		notify_ready("not reloaded: the configuration is not good, the old one stays");
		return;
	}
	if (!fits_sandbox(server, config, config_file)) {
		config_free(config);
		notify_ready("not reloaded: the new configuration needs a restart");
		return;
	}
	app = app_new(config);
	if (!store_check(app->store, &p) && problem_row(p.kind)->status != 503) {
		log_event(CONFIG_LOG_ERROR, "reload", "%s; the old configuration stays", p.detail);
		notify_ready("not reloaded: the tables are not fit, the old configuration stays");
		app_free(app);
		return;
	}
	fresh = serving_new(app);
	pthread_mutex_lock(&server->mutex);
	old = server->serving;
	server->serving = fresh;
	pthread_mutex_unlock(&server->mutex);
	serving_release(server, old);
	log_open(&config->log, "pintle");
	metrics_open(config->state_dir);
	log_event(CONFIG_LOG_INFO, "reload", "%s", config_file);
	notify_ready(NULL);
}

static int wait_for_stop(struct server *server, const char *config_file)
{
	sigset_t signals;
	int signal;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGCHLD);
	for (;;) {
		if (sigwait(&signals, &signal))
			continue;
		if (signal == SIGCHLD) {
			fetcher_reap();
			continue;
		}
		if (signal != SIGHUP)
			return signal;
		notify_reloading();
		reload(server, config_file);
	}
}

/*
 * A slow body, a fetch of keys, a transaction and its second try with two statements each
 * that take all the time they have: longer than any web server waits for an answer.
 */
static time_t longest_request_s(const struct config *config)
{
	const struct config_database *db = &config->database;

	return IO_TIMEOUT_S + 2 * config->fetch_timeout_s +
	       2 * ((time_t)db->hosts.count * db->connect_timeout_s + 2 * db->query_timeout_s);
}

/* False, with a word in the log, when a request takes longer than any may. */
static bool wait_for_threads(const pthread_t *threads, int count, time_t limit_s)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += limit_s;
	for (int i = 0; i < count; i++)
		if (pthread_clockjoin_np(threads[i], NULL, CLOCK_MONOTONIC, &until)) {
			log_event(CONFIG_LOG_ERROR, "stop", "a request is not done after %lld s",
				  (long long)limit_s);
			return false;
		}
	return true;
}

int serve_fcgi(struct app *app, int listener, const char *config_file,
	       const struct sandbox *sandbox)
{
	struct server server = { .listener = listener, .stop = eventfd(0, EFD_CLOEXEC),
				 .sandbox = sandbox };
	const int count = app->config->threads;
	pthread_t *threads = x_alloc((size_t)count * sizeof(*threads));
	const uint64_t one = 1;
	int signal;

	if (server.stop < 0 || FCGX_Init()) {
		perror("pintle: cannot start");
		return 1;
	}
	/* Threads that lose the race for a connection must come back, not wait in accept. */
	fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) | O_NONBLOCK);
	fcntl(listener, F_SETFD, FD_CLOEXEC);
	pthread_mutex_init(&server.mutex, NULL);
	server.serving = serving_new(app);
	for (int i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, work, &server)) {
			perror("pintle: cannot start a thread");
			return 1;
		}
	log_event(CONFIG_LOG_INFO, "start", "%d threads", count);
	notify_ready(NULL);
	signal = wait_for_stop(&server, config_file);
	notify_stopping();
	server.stop_by = seconds() + DRAIN_S;
	if (write(server.stop, &one, sizeof(one)) != sizeof(one))
		abort();
	if (!wait_for_threads(threads, count, longest_request_s(server.serving->app->config)))
		_exit(1);
	log_event(CONFIG_LOG_INFO, "stop", "signal %d", signal);
	serving_release(&server, server.serving);
	pthread_mutex_destroy(&server.mutex);
	close(server.stop);
	free(threads);
	return 0;
}

/* ---- sockets */

bool serve_fcgi_is_listener(int fd)
{
	int listens = 0;
	socklen_t len = sizeof(listens);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && listens;
}

static int fail(const char *where, const char *what)
{
	fprintf(stderr, "pintle: --listen %s: %s\n", where, what);
	return -1;
}

static int listen_unix(const char *where, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mode_t mask;
	bool bound;

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return fail(where, "the path is too long");
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
		close(fd);
		return fail(where, "another process listens there");
	}
	close(fd);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unlink(path);
	/* Whoever can connect to a FastCGI socket owns the process: owner and group only. */
	mask = umask(0117);
	bound = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	umask(mask);
	if (!bound || listen(fd, BACKLOG)) {
		const int error = errno;

		close(fd);
		return fail(where, strerror(error));
	}
	return fd;
}

static int listen_tcp(const char *where)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
					.ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(where, ':');
	const int yes = 1;
	struct addrinfo *address;
	char host[64];
	size_t len;
	int fd;

	if (!colon || colon - where >= (ptrdiff_t)sizeof(host))
		return fail(where, "neither unix:PATH nor ADDRESS:PORT");
	len = (size_t)(colon - where);
	memcpy(host, where, len);
	host[len] = '\0';
	if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		memmove(host, host + 1, len - 1);
	}
	if (getaddrinfo(host, colon + 1, &hints, &address))
		return fail(where, "neither unix:PATH nor ADDRESS:PORT");
	fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (fd < 0 || bind(fd, address->ai_addr, address->ai_addrlen) || listen(fd, BACKLOG)) {
		const int error = errno;

		freeaddrinfo(address);
		close(fd);
		return fail(where, strerror(error));
	}
	freeaddrinfo(address);
	return fd;
}

int serve_fcgi_listen(const char *where)
{
	return strncmp(where, "unix:", 5) == 0 ? listen_unix(where, where + 5)
					       : listen_tcp(where);
}
