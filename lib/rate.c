#include "rate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "secret.h"

/* 2^16 slots of 8 bytes: half a megabyte counts some 60,000 addresses a minute. */
#define BUCKETS 16384
#define WAYS 4
#define MAGIC 0x50696e746c655232u
#define COUNT_MAX 0xffffu

/*
 * The file: this, then the buckets. A slot is 32 bits of the address's hash, 16 of the
 * minute, 16 of the count. The hash has a key, so that nobody can choose addresses that
 * share a bucket. Read and written, not mapped: whoever empties the file under us, or the
 * disk that is full, is then an error and no SIGBUS.
 */
struct header {
	uint64_t magic;
	unsigned char key[SECRET_BYTES];
};

struct bucket {
	uint64_t slots[WAYS];
};

struct rate {
	const struct config *config;
	pthread_mutex_t
		mutex; /* for all below; a lock of the file is no lock among threads */
	int fd;	       /* -1: to be opened */
	bool complained;
};

struct rate *rate_new(const struct config *config)
{
	struct rate *rate;

	if (!config->rate_login)
		return NULL;
	rate = x_alloc(sizeof(*rate));
	rate->config = config;
	rate->fd = -1;
	pthread_mutex_init(&rate->mutex, NULL);
	return rate;
}

void rate_free(struct rate *rate)
{
	if (!rate)
		return;
	if (rate->fd >= 0)
		close(rate->fd);
	pthread_mutex_destroy(&rate->mutex);
	free(rate);
}

/* ---- the file */

/* A run by root, for debugging, must not leave a file that the service cannot open. */
static bool give_to_owner(const char *dir, int fd)
{
	struct stat st;

	return geteuid() != 0 ||
	       (stat(dir, &st) == 0 && fchown(fd, st.st_uid, st.st_gid) == 0);
}

/* Open, and still the one that others open: not if it was removed since. */
static bool open_file(struct rate *rate)
{
	const char *dir = rate->config->state_dir;
	char path[4096];
	struct stat st;

	if (rate->fd >= 0 && fstat(rate->fd, &st) == 0 && st.st_nlink)
		return true;
	if (rate->fd >= 0)
		close(rate->fd);
	if (snprintf(path, sizeof(path), "%s/rate", dir) >= (int)sizeof(path))
		return false;
	rate->fd =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (rate->fd < 0)
		return false;
	if (fstat(rate->fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    give_to_owner(dir, rate->fd))
		return true;
	close(rate->fd);
	rate->fd = -1;
	return false;
}

/* The kernel takes the lock back from a process that dies. */
static bool lock(int fd, short type, off_t start, off_t len)
{
	struct flock range = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len
	};

	return fcntl(fd, F_OFD_SETLKW, &range) == 0;
}

/* The first to come, or to find it gone, makes the key; the lock makes it one. */
static bool read_key(int fd, struct header *out)
{
	const ssize_t size = sizeof(*out);
	bool good;

	if (pread(fd, out, sizeof(*out), 0) == size && out->magic == MAGIC)
		return true;
	if (!lock(fd, F_WRLCK, 0, size))
		return false;
	good = pread(fd, out, sizeof(*out), 0) == size && out->magic == MAGIC;
	if (!good) {
		out->magic = MAGIC;
		secret_random(out->key, sizeof(out->key));
		good = pwrite(fd, out, sizeof(*out), 0) == size;
	}
	return lock(fd, F_UNLCK, 0, size) && good;
}

/* The bytes that stand for an address: an IPv6 network of 64 bits is one household. */
static struct text significant(struct text address, char copy[64], unsigned char out[16])
{
	if (address.len >= 64)
		return address;
	memcpy(copy, address.data, address.len);
	copy[address.len] = '\0';
	if (inet_pton(AF_INET, copy, out) == 1)
		return (struct text){ (char *)out, 4 };
	if (inet_pton(AF_INET6, copy, out) != 1)
		return address;
	if (memcmp(out, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0)
		return (struct text){ (char *)out + 12, 4 };
	return (struct text){ (char *)out, 8 };
}

/* ---- counting */

static unsigned slot_count(uint64_t slot, uint16_t minute)
{
	return (slot >> 16 & 0xffff) == minute ? (unsigned)(slot & COUNT_MAX) : 0;
}

/* The slot of this address in its bucket, else the one with the least to lose. */
static uint64_t *choose(struct bucket *bucket, uint32_t tag, uint16_t minute)
{
	uint64_t *best = &bucket->slots[0];
	unsigned least = COUNT_MAX + 1;

	for (size_t i = 0; i < WAYS; i++) {
		const unsigned count = slot_count(bucket->slots[i], minute);

		if (bucket->slots[i] >> 32 == tag && count)
			return &bucket->slots[i];
		if (count < least) {
			least = count;
			best = &bucket->slots[i];
		}
	}
	return best;
}

/* Counts the address in its bucket, which is locked. */
static bool count_in(int fd, off_t where, uint32_t tag, uint16_t minute, unsigned *out)
{
	struct bucket bucket = { 0 }; /* what a file that is too short does not hold */
	const ssize_t got = pread(fd, &bucket, sizeof(bucket), where);
	uint64_t *slot = choose(&bucket, tag, minute);
	unsigned count = *slot >> 32 == tag ? slot_count(*slot, minute) : 0;

	if (count < COUNT_MAX)
		count++;
	*slot = (uint64_t)tag << 32 | (uint64_t)minute << 16 | count;
	*out = count;
	return got >= 0 && pwrite(fd, &bucket, sizeof(bucket), where) == sizeof(bucket);
}

/* How often the address was seen in this minute, this time included. With the mutex held. */
static bool count_up(struct rate *rate, struct text address, uint16_t minute,
		     unsigned *out)
{
	unsigned char mac[SHA256_BYTES], bytes[16];
	struct header header;
	char copy[64];
	uint32_t tag, bucket;
	off_t where;
	bool good;

	if (!open_file(rate) || !read_key(rate->fd, &header))
		return false;
	secret_hmac(header.key, sizeof(header.key), significant(address, copy, bytes),
		    mac);
	memcpy(&tag, mac, sizeof(tag));
	memcpy(&bucket, mac + sizeof(tag), sizeof(bucket));
	where = (off_t)sizeof(header) + (off_t)(bucket % BUCKETS * sizeof(struct bucket));
	if (!lock(rate->fd, F_WRLCK, where, sizeof(struct bucket)))
		return false;
	good = count_in(rate->fd, where, tag, minute, out);
	return lock(rate->fd, F_UNLCK, where, sizeof(struct bucket)) && good;
}

static bool count(struct rate *rate, struct text address, uint16_t minute, unsigned *out)
{
	bool counted;

	pthread_mutex_lock(&rate->mutex);
	counted = count_up(rate, address, minute, out);
	if (!counted && !rate->complained)
		log_event(CONFIG_LOG_ERROR, "rate", "%s/rate: %s; logins are not limited",
			  rate->config->state_dir, strerror(errno));
	rate->complained = !counted;
	pthread_mutex_unlock(&rate->mutex);
	return counted;
}

bool rate_allow(struct rate *rate, struct text address, int64_t now, struct problem *p)
{
	unsigned seen;

	if (!rate || !count(rate, address, (uint16_t)(now / 60), &seen) ||
	    seen <= (unsigned)rate->config->rate_login)
		return true;
	problem(p, RATE_LIMITED, "%u in this minute", seen);
	p->retry_after_s = (unsigned)(60 - now % 60);
	return false;
}
