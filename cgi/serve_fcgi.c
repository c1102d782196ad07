#include "serve.h"

#include <errno.h>
#include <fastcgi.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "fetcher.h"
#include "log.h"
#include "metrics.h"
#include "notify.h"
#include "sandbox_worker.h"

/* How long one request may take to come, without and with its body, and its answer to go. */
#define HEADER_S 10
#define BODY_S 20
#define ANSWER_S 10
#define DRAIN_S 2

/* What the threads share. */
struct server {
	int listener;
	int stop;		/* an eventfd: readable once the server is to stop */
	_Atomic time_t stop_by; /* until then the queue is emptied; CLOCK_MONOTONIC */
	pthread_mutex_t mutex;	/* for app and its count of users */
	struct serving *serving;
	const struct sandbox *sandbox; /* NULL: none */
	struct worker *workers;
	int worker_count;
};

/*
 * A thread, and the connection that it serves. libfcgi reads on until it has all, and a peer
 * that says nothing, or a byte now and then, would hold the thread for ever. So the main
 * thread looks once a second, and ends what takes too long: the reading, and not the answer
 * that may still be given, or the writing. As options of the socket the limits would be for
 * each read alone, and cost every request two system calls.
 */
struct worker {
	struct server *server;
	pthread_t thread;
	pthread_mutex_t mutex; /* for what follows */
	int connection;	       /* -1: none, or ended already */
	int how;	       /* it is ended: SHUT_RD, SHUT_RDWR */
	time_t deadline;       /* CLOCK_MONOTONIC */
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

/* ---- how long a request may take to arrive */

static time_t seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void watch(struct worker *w, int connection, int how, time_t limit_s)
{
	const time_t deadline = seconds() + limit_s;

	pthread_mutex_lock(&w->mutex);
	w->connection = connection;
	w->how = how;
	w->deadline = deadline;
	pthread_mutex_unlock(&w->mutex);
}

static void watch_no_more(struct worker *w)
{
	watch(w, -1, SHUT_RD, 0);
}

/*
 * Where libfcgi has just closed the connection itself, its number may be another's by now, a
 * peer's or the database's: that is a lost connection, which costs one request a second try.
 * It takes a peer that gives up in the very moment.
 */
static void end_what_is_slow(struct server *server)
{
	const time_t now = seconds();

	for (int i = 0; i < server->worker_count; i++) {
		struct worker *w = &server->workers[i];

		pthread_mutex_lock(&w->mutex);
		if (w->connection >= 0 && w->deadline <= now) {
			shutdown(w->connection, w->how);
			w->connection = -1;
		}
		pthread_mutex_unlock(&w->mutex);
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
	const int got =
		FCGX_GetStr(out, size < INT32_MAX ? (int)size : INT32_MAX, body->in);

	if (got == 0 && FCGX_GetError(body->in))
		return -1;
	body->ended = body->ended || got == 0;
	return got;
}

static void handle(struct worker *worker, FCGX_Request *request, struct arena *arena)
{
	struct server *server = worker->server;
	struct serving *serving = serving_take(server);
	struct body body = { .in = request->in };
	const struct door door = {
		.role = request->role == FCGI_AUTHORIZER ? ROLE_AUTHORIZER
							 : ROLE_RESPONDER,
		.variables = request->envp,
		.read_body = read_body,
		.context = &body,
	};
	const int64_t now = time(NULL);
	struct response res;
	struct text out;

	watch(worker, request->ipcFd, SHUT_RD, BODY_S);
	answer(serving->app, arena, now, &door, &res, &out);
	watch(worker, request->ipcFd, SHUT_RDWR, ANSWER_S);
	FCGX_PutStr(out.data, (int)out.len, request->out);
	/*
	 * libfcgi waits for the web server to close first, as a socket that is closed with
	 * something unread takes the answer with it. Once all was read there is no need to:
	 * three system calls and a switch of tasks less.
	 */
	if (body.ended)
		FCGX_Detach(request);
	FCGX_Finish_r(request);
	watch_no_more(
		worker); /* not before: to the last it waits for the peer to close */
	answer_after(serving->app, &res, now);
	arena_reset(arena);
	serving_release(server, serving);
}

/* ---- threads */

/* accept(2) also hands on what befell the connection: that is not the end of the thread. */
static bool is_passing(int error)
{
	static const int passing[] = {
		EAGAIN,	      EINTR,	  EMFILE,      ENFILE,	    ENOBUFS,   ENOMEM,
		ECONNABORTED, ENETDOWN,	  EPROTO,      ENOPROTOOPT, EHOSTDOWN, ENONET,
		EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH, ETIMEDOUT,   EPERM,
	};

	for (size_t i = 0; i < sizeof(passing) / sizeof(*passing); i++)
		if (error == passing[i])
			return true;
	return false;
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

	if (waiter < 0 ||
	    epoll_ctl(waiter, EPOLL_CTL_ADD, server->listener, &connection) ||
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

static void *work(void *context)
{
	struct worker *worker = context;
	struct server *server = worker->server;
	struct arena *arena = arena_new();
	const int waiter = waiter_new(server);
	FCGX_Request request;

	store_thread_start();
	/* libfcgi never accepts: it would read the parameters without a limit of time. */
	FCGX_InitRequest(&request, -1, FCGI_FAIL_ACCEPT_ON_INTR);
	while (wait_for_request(server, waiter)) {
		const int connection =
			accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);

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
		watch(worker, connection, SHUT_RDWR, HEADER_S);
		request.ipcFd = connection;
		request.keepConnection =
			1; /* or it is closed as the end of the one before */
		if (FCGX_Accept_r(&request) < 0) {
			/* No FastCGI, or none that ever came; libfcgi closed it. */
			watch_no_more(worker);
			continue;
		}
		/* A kept connection would pin this thread to one web server process. */
		request.keepConnection = 0;
		handle(worker, &request, arena);
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
		log_event(CONFIG_LOG_ERROR, "reload", "%s; the old configuration stays",
			  error);
		notify_ready(
			"not reloaded: the configuration is not good, the old one stays");
		return;
	}
	if (!fits_sandbox(server, config, config_file)) {
		config_free(config);
		notify_ready("not reloaded: the new configuration needs a restart");
		return;
	}
	app = app_new(config);
	if (!store_check(app->store, &p) && problem_row(p.kind)->status != 503) {
		log_event(CONFIG_LOG_ERROR, "reload", "%s; the old configuration stays",
			  p.detail);
		notify_ready("not reloaded: the tables are not fit, the old "
			     "configuration stays");
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
	const struct timespec second = { 1, 0 };
	sigset_t signals;
	int signal;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGCHLD);
	for (;;) {
		signal = sigtimedwait(&signals, NULL, &second);
		end_what_is_slow(server);
		if (signal < 0)
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

	return HEADER_S + BODY_S + ANSWER_S + 2 * config->fetch_timeout_s +
	       2 * ((time_t)db->hosts.count * db->connect_timeout_s +
		    2 * db->query_timeout_s);
}

/* False, with a word in the log, when a request takes longer than any may. */
static bool wait_for_workers(struct server *server, time_t limit_s)
{
	const time_t give_up_at = seconds() + limit_s;
	struct timespec soon;

	for (int i = 0; i < server->worker_count;) {
		clock_gettime(CLOCK_MONOTONIC, &soon);
		soon.tv_sec++;
		if (!pthread_clockjoin_np(server->workers[i].thread, NULL,
					  CLOCK_MONOTONIC, &soon)) {
			i++;
			continue;
		}
		end_what_is_slow(server);
		if (seconds() >= give_up_at) {
			log_event(CONFIG_LOG_ERROR, "stop",
				  "a request is not done after %lld s",
				  (long long)limit_s);
			return false;
		}
	}
	return true;
}

static bool start_workers(struct server *server)
{
	for (int i = 0; i < server->worker_count; i++) {
		struct worker *w = &server->workers[i];

		w->server = server;
		w->connection = -1;
		pthread_mutex_init(&w->mutex, NULL);
		if (pthread_create(&w->thread, NULL, work, w))
			return false;
	}
	return true;
}

int serve_fcgi(struct app *app, int listener, const char *config_file,
	       const struct sandbox *sandbox)
{
	struct server server = { .listener = listener,
				 .stop = eventfd(0, EFD_CLOEXEC),
				 .sandbox = sandbox };
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
	server.worker_count = app->config->threads;
	server.workers = x_alloc((size_t)server.worker_count * sizeof(*server.workers));
	if (!start_workers(&server)) {
		perror("pintle: cannot start a thread");
		return 1;
	}
	log_event(CONFIG_LOG_INFO, "start", "%d threads", server.worker_count);
	notify_ready(NULL);
	signal = wait_for_stop(&server, config_file);
	notify_stopping();
	server.stop_by = seconds() + DRAIN_S;
	if (write(server.stop, &one, sizeof(one)) != sizeof(one))
		abort();
	if (!wait_for_workers(&server, longest_request_s(server.serving->app->config)))
		_exit(1);
	log_event(CONFIG_LOG_INFO, "stop", "signal %d", signal);
	serving_release(&server, server.serving);
	pthread_mutex_destroy(&server.mutex);
	close(server.stop);
	free(server.workers);
	return 0;
}
