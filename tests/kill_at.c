/*
 * Runs a program and kills it at the Nth stop of its way: right before or right after a
 * system call, so that everything a process does to the world is either done or not.
 *
 *   kill_at N COMMAND...     exit status 137 when it was killed, else the command's own
 *   kill_at 0 COMMAND...     to its end; prints on standard error how many stops there were
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILLED 137

static int fail(const char *what)
{
	perror(what);
	return 2;
}

static void become(char **command)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
		execvp(command[0], command);
	perror(command[0]);
	_exit(127);
}

/* From one stop to the next; false when the program has ended, with *STATUS. */
static int step(pid_t pid, int signal, int *status)
{
	if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)signal))
		return -1;
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFSTOPPED(*status);
}

static int trace(pid_t pid, long kill_at)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
	int status, signal = 0, goes_on;
	long stops = 0;

	if (waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status))
		return fail("waitpid");
	if (ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)options))
		return fail("ptrace");
	while ((goes_on = step(pid, signal, &status)) > 0) {
		/* A signal of its own is passed on; SIGTRAP | 0x80 is a system call. */
		signal = WSTOPSIG(status) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(status);
		if (signal)
			continue;
		if (++stops == kill_at) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return KILLED;
		}
	}
	if (goes_on < 0)
		return fail("ptrace");
	if (!kill_at)
		fprintf(stderr, "%ld stops\n", stops);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	pid_t pid;

	if (argc < 3) {
		fputs("usage: kill_at N COMMAND...\n", stderr);
		return 2;
	}
	pid = fork();
	if (pid < 0)
		return fail("fork");
	if (pid == 0)
		become(argv + 2);
	return trace(pid, atol(argv[1]));
}
