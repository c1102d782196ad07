#include "in_doubt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

/* Some two thousand: a lost database leaves those in doubt that were just under way. */
#define FILE_MAX_BYTES 65536
#define LINE_SIZE 96

static int open_file(const char *state_dir, int flags)
{
	char path[4096];

	if (snprintf(path, sizeof(path), "%s/in-doubt", state_dir) >= (int)sizeof(path))
		return -1;
	return open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
}

static void print_line(char line[LINE_SIZE], const char *session_id, uint64_t generation)
{
	snprintf(line, LINE_SIZE, "%.64s.%llu", session_id,
		 (unsigned long long)generation);
}

static bool append(int fd, const char *state_dir, const char *line)
{
	char written[LINE_SIZE + 2];
	/* The one before may have been cut short, by a full disk: it must not spoil this one. */
	const int len = snprintf(written, sizeof(written), "\n%s\n", line);
	struct stat st, dir;

	if (flock(fd, LOCK_EX) || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return false;
	/* A run by root, for debugging, must not leave a file that the service cannot open. */
	if (geteuid() == 0 && st.st_uid == 0 &&
	    (stat(state_dir, &dir) || fchown(fd, dir.st_uid, dir.st_gid)))
		return false;
	return (st.st_size + len <= FILE_MAX_BYTES || ftruncate(fd, 0) == 0) &&
	       write(fd, written, (size_t)len) == len;
}

void in_doubt_note(const char *state_dir, const char *session_id, uint64_t generation)
{
	const int fd = open_file(state_dir, O_WRONLY | O_APPEND | O_CREAT);
	char line[LINE_SIZE];

	print_line(line, session_id, generation);
	if (fd < 0 || !append(fd, state_dir, line))
		log_event(CONFIG_LOG_ERROR, "refresh", "%s/in-doubt: %s", state_dir,
			  strerror(errno));
	if (fd >= 0)
		close(fd);
}

bool in_doubt_find(const char *state_dir, const char *session_id, uint64_t generation)
{
	const int fd = open_file(state_dir, O_RDONLY);
	char line[LINE_SIZE], all[FILE_MAX_BYTES];
	struct text rest, one;
	ssize_t got = 0, n;

	if (fd < 0)
		return false;
	while (got < FILE_MAX_BYTES &&
	       (n = read(fd, all + got, (size_t)(FILE_MAX_BYTES - got))) > 0)
		got += n;
	close(fd);
	print_line(line, session_id, generation);
	rest = (struct text){ all, (size_t)got };
	while (rest.len) {
		one = text_before(rest, '\n', &rest);
		if (text_is(one, line))
			return true;
	}
	return false;
}
