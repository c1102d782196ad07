/* pintle.fcgi: options, configuration, the right door. */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "autoconf.h"
#include "listener.h"
#include "log.h"
#include "metrics.h"
#include "sandbox_worker.h"
#include "serve.h"

#define EXIT_USAGE 64
#define EXIT_CONFIG 78
#define SYSTEMD_FIRST_FD 3

struct options {
	const char *config, *listen;
	bool check;
};

static const char usage[] =
	"usage: pintle.fcgi [-c FILE] --check | --listen unix:PATH | --listen "
	"ADDRESS:PORT\n"
	"\n"
	"  -c, --config FILE  read this configuration\n"
	"      --check        load everything, say what is wrong, exit 0 or 78\n"
	"      --listen ...   serve FastCGI there\n"
	"      --version\n"
	"\n"
	"Without --listen it is a CGI program, or a FastCGI program that is given its "
	"socket\n"
	"as descriptor 0 by a web server or spawn-fcgi, or by systemd (LISTEN_FDS).\n";

static int parse_options(int argc, char **argv, struct options *out)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 'k' },
		{ "listen", required_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:h", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			out->config = optarg;
			break;
		case 'k':
			out->check = true;
			break;
		case 'l':
			out->listen = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case 'v':
			puts("pintle " VERSION);
			exit(0);
		default:
			return EXIT_USAGE;
		}
	}
	return optind == argc ? 0 : EXIT_USAGE;
}

/* From systemd (sd_listen_fds(3)), as descriptor 0, or opened here; -1: there is none. */
static int find_listener(const struct options *options)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");

	if (options->listen)
		return listener_open(options->listen);
	if (pid && fds && atol(pid) == (long)getpid() && atoi(fds) >= 1)
		return SYSTEMD_FIRST_FD;
	return listener_is(STDIN_FILENO) ? STDIN_FILENO : -1;
}

static void block_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
}

/* Whoever hangs up, or a limit on the size of files, is an error of a call and no death. */
static void ignore_signals_of_writing(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

static int answer_misconfigured(const char *error)
{
	fprintf(stderr, "pintle: %s\n", error);
	if (getenv("REQUEST_METHOD"))
		fputs("Status: 500 Internal Server Error\r\n"
		      "Content-Type: application/json\r\nCache-Control: no-store\r\n"
		      "X-Content-Type-Options: nosniff\r\n\r\n"
		      "{\"error\":\"internal\",\"reason\":null,\"message\":\"Something "
		      "went "
		      "wrong on our side\",\"request_id\":\"\"}",
		      stdout);
	return EXIT_CONFIG;
}

/*
 * Over tables that are not fit to say who somebody is, nothing starts. A database that is
 * away is no reason: it will be looked at when it is there.
 */
static bool tables_are_fit(const struct app *app, struct problem *p)
{
	return store_check(app->store, p) || problem_row(p->kind)->status == 503;
}

static int check(struct app *app, const char *file)
{
	struct problem p = { 0 };
	const bool fit = tables_are_fit(app, &p);

	if (fit && p.kind == PROBLEM_NONE)
		printf("%s: good\n", file);
	else if (fit)
		printf("%s: good; the database was not looked at: %s\n", file, p.detail);
	else
		fprintf(stderr, "pintle: %s: %s\n", file, p.detail);
	app_free(app);
	return fit ? 0 : EXIT_CONFIG;
}

static int serve(struct app *app, int listener, const char *file, struct sandbox *sandbox)
{
	struct problem p = { 0 };

	if (!tables_are_fit(app, &p)) {
		log_event(CONFIG_LOG_ERROR, "start", "%s", p.detail);
		app_free(app);
		return answer_misconfigured(p.detail);
	}
	return serve_fcgi(app, listener, file, sandbox);
}

/* FastCGI starts us with descriptor 0 alone: a socket must not become our stderr. */
static void fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/*
 * Before there is a thread, and before a byte of a request is read. A CGI run says that it
 * is in a sandbox at level debug only: it starts once for each request.
 */
static struct sandbox *enter_sandbox(const struct config *config, const char *config_file)
{
	const enum config_log_level level =
		config_file ? CONFIG_LOG_INFO : CONFIG_LOG_DEBUG;
	struct sandbox *sandbox;

	if (config->sandbox_off) {
		log_event(level, "sandbox", "off, by the configuration");
		return NULL;
	}
	sandbox = sandbox_worker_new(config, config_file);
	sandbox_enter(sandbox, level);
	return sandbox;
}

int main(int argc, char **argv)
{
	/* A query string can become the command line of a CGI program (RFC 3875, 4.4). */
	const bool by_hand = !getenv("GATEWAY_INTERFACE") && !getenv("REQUEST_METHOD");
	struct options options = { 0 };
	char error[CONFIG_ERROR_SIZE];
	struct sandbox *sandbox;
	struct config *config;
	int listener, status;

	fill_standard_descriptors();
	ignore_signals_of_writing();
	if (by_hand && parse_options(argc, argv, &options)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (!options.config)
		options.config = config_default_file();
	config = config_load(options.config, error);
	if (!config)
		return answer_misconfigured(error);
	if (options.check)
		return check(app_new(config), options.config);
	log_open(&config->log, "pintle");
	metrics_open(config->state_dir);
	listener = find_listener(&options);
	if (listener >= 0) {
		block_signals();
		sandbox = enter_sandbox(config, options.config);
		status = serve(app_new(config), listener, options.config, sandbox);
		sandbox_free(sandbox);
		return status;
	}
	if (!options.listen && getenv("REQUEST_METHOD")) {
		sandbox_free(enter_sandbox(config, NULL));
		return serve_cgi(app_new(config), environ);
	}
	config_free(config);
	if (!options.listen)
		fputs(usage, stderr);
	return EXIT_USAGE;
}
