#include "rate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "secret.h"

/* 2^16 slots of 8 bytes: half a megabyte counts some 60,000 addresses a minute. */
#define BUCKETS 16384
#define WAYS 4
#define MAGIC 0x50696e746c655231u
#define COUNT_MAX 0xffffu

/*
 * What is shared. A slot is one word, so that it is changed by one atomic step and a worker
 * that dies leaves nothing half done: 32 bits of the address's hash, 16 of the minute, 16 of
 * the count. The hash has a key, so that nobody can choose addresses that share a bucket.
 */
struct table {
	_Atomic uint64_t magic;
	unsigned char key[SECRET_BYTES];
	_Atomic uint64_t slots[BUCKETS][WAYS];
};

struct rate {
	const struct config *config;
	pthread_mutex_t mutex; /* for opening */
	struct table *table;
	bool failed;
};

struct rate *rate_new(const struct config *config)
{
	struct rate *rate;

	if (!config->rate_login)
		return NULL;
	rate = x_alloc(sizeof(*rate));
	rate->config = config;
	pthread_mutex_init(&rate->mutex, NULL);
	return rate;
}

void rate_free(struct rate *rate)
{
	if (!rate)
		return;
	if (rate->table)
		munmap(rate->table, sizeof(*rate->table));
	pthread_mutex_destroy(&rate->mutex);
	free(rate);
}

/* The first to come gives the file its size and its key; the lock makes it one. */
static struct table *map_file(int fd)
{
	struct table *table;
	struct stat st;

	if (flock(fd, LOCK_EX) || fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    (st.st_size != (off_t)sizeof(*table) && ftruncate(fd, sizeof(*table))))
		return NULL;
	/* With its blocks: on a full disk a page of a hole would be SIGBUS, not an error. */
	errno = posix_fallocate(fd, 0, sizeof(*table));
	if (errno)
		return NULL;
	table = mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (table == MAP_FAILED)
		return NULL;
	if (atomic_load(&table->magic) != MAGIC) {
		secret_random(table->key, sizeof(table->key));
		atomic_store(&table->magic, MAGIC);
	}
	return table;
}

/* A run by root, for debugging, must not leave a file that the service cannot open. */
static void give_to_owner(const char *dir, int fd)
{
	struct stat st;

	if (geteuid() == 0 && fd >= 0 && stat(dir, &st) == 0 &&
	    fchown(fd, st.st_uid, st.st_gid))
		log_event(CONFIG_LOG_WARNING, "rate", "%s: %s", dir, strerror(errno));
}

static struct table *open_table(struct rate *rate)
{
	struct arena *scratch;
	const char *path;
	int fd;

	pthread_mutex_lock(&rate->mutex);
	if (!rate->table && !rate->failed) {
		scratch = arena_new();
		path = arena_printf(scratch, "%s/rate", rate->config->state_dir).data;
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		give_to_owner(rate->config->state_dir, fd);
		rate->table = fd >= 0 ? map_file(fd) : NULL;
		if (!rate->table) {
			rate->failed = true;
			log_event(CONFIG_LOG_ERROR, "rate", "%s: %s; logins are not limited",
				  path, strerror(errno));
		}
		if (fd >= 0)
			close(fd);
		arena_free(scratch);
	}
	pthread_mutex_unlock(&rate->mutex);
	return rate->table;
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

static unsigned slot_count(uint64_t slot, uint16_t minute)
{
	return (slot >> 16 & 0xffff) == minute ? (unsigned)(slot & COUNT_MAX) : 0;
}

/* The slot of this address in its bucket, else the one with the least to lose. */
static _Atomic uint64_t *choose(_Atomic uint64_t bucket[WAYS], uint32_t tag, uint16_t minute)
{
	_Atomic uint64_t *best = &bucket[0];
	unsigned least = COUNT_MAX + 1;

	for (size_t i = 0; i < WAYS; i++) {
		const uint64_t slot = atomic_load(&bucket[i]);
		const unsigned count = slot_count(slot, minute);

		if (slot >> 32 == tag && count)
			return &bucket[i];
		if (count < least) {
			least = count;
			best = &bucket[i];
		}
	}
	return best;
}

/* How often the address was seen in this minute, this time included. */
static unsigned count_up(struct table *table, struct text address, uint16_t minute)
{
	unsigned char mac[SHA256_BYTES], bytes[16];
	char copy[64];
	uint32_t tag, bucket;
	_Atomic uint64_t *slot;
	uint64_t old, fresh;
	unsigned count;

	secret_hmac(table->key, sizeof(table->key), significant(address, copy, bytes), mac);
	memcpy(&tag, mac, sizeof(tag));
	memcpy(&bucket, mac + sizeof(tag), sizeof(bucket));
	slot = choose(table->slots[bucket % BUCKETS], tag, minute);
	old = atomic_load(slot);
	do {
		count = old >> 32 == tag ? slot_count(old, minute) : 0;
		if (count == COUNT_MAX)
			return count;
		fresh = (uint64_t)tag << 32 | (uint64_t)minute << 16 | ++count;
	} while (!atomic_compare_exchange_weak(slot, &old, fresh));
	return count;
}

bool rate_allow(struct rate *rate, struct text address, int64_t now, struct problem *p)
{
	struct table *table = rate ? open_table(rate) : NULL;
	unsigned count;

	if (!table)
		return true;
	count = count_up(table, address, (uint16_t)(now / 60));
	if (count <= (unsigned)rate->config->rate_login)
		return true;
	problem(p, RATE_LIMITED, "%u in this minute", count);
	p->retry_after_s = (unsigned)(60 - now % 60);
	return false;
}
