#include "config_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (256L * 1024)

/*
 * The same for the file that was named on the command line and for one named within it.
 */
static const char *subject(int line, const char *path)
{
	return line ? path : "it";
}

static bool check(struct config_state *s, int line, const char *path, bool secret,
		  const struct stat *st)
{
	const char *it = subject(line, path);

	if (!S_ISREG(st->st_mode))
		return config_error(s, line, "%s is no regular file", it);
	if (st->st_size > FILE_MAX)
		return config_error(s, line, "%s is longer than 256 KiB", it);
	/* Whoever writes here names the keys, and with them who anybody is. */
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return config_error(s, line, "%s can be written by others: chmod go-w %s",
				    it, path);
	if (secret && st->st_mode & S_IROTH)
		return config_error(
			s, line,
			"%s holds a password and can be read by others: chmod o-r %s", it,
			path);
	return true;
}

static bool failed(struct config_state *s, int line, const char *path)
{
	return config_error(s, line, "%s cannot be read: %s", subject(line, path),
			    strerror(errno));
}

bool config_file_check(struct config_state *s, int line, const char *path, bool secret)
{
	struct stat st;

	if (stat(path, &st))
		return failed(s, line, path);
	return check(s, line, path, secret, &st);
}

static bool read_all(struct config_state *s, int line, const char *path, int fd,
		     size_t size, struct text *out)
{
	char *data = arena_alloc(s->arena, size + 1);
	size_t len = 0;

	while (len < size) {
		const ssize_t got = read(fd, data + len, size - len);

		if (got == 0)
			break;
		if (got < 0 && errno != EINTR)
			return failed(s, line, path);
		if (got > 0)
			len += (size_t)got;
	}
	*out = (struct text){ data, len };
	return true;
}

bool config_file_read(struct config_state *s, int line, const char *path, bool secret,
		      struct text *out)
{
	/* Without O_NONBLOCK a FIFO would hold us here for ever. */
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	bool done;

	if (fd < 0)
		return failed(s, line, path);
	if (fstat(fd, &st))
		done = failed(s, line, path);
	else
		done = check(s, line, path, secret, &st) &&
		       read_all(s, line, path, fd, (size_t)st.st_size, out);
	close(fd);
	return done;
}
