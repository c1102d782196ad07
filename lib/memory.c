/*
 * No allocation fails: where there is no memory, the process ends. That is our own rule
 * (arena.h), and here it holds for the libraries in our programs too, as they go on without
 * what they did not get. Measured, each allocation of a login failing once: json-c leaves
 * members out of objects or makes them null, a key that OpenSSL had no room for is "passed
 * over" until the next refresh, a good signature becomes a bad one, libconfuse and libfcgi
 * dereference NULL. A process that is gone is started again; a wrong answer stands.
 *
 * And what is given back is wiped first, if it is large enough to hold a secret: libfcgi's
 * buffers, libmariadb's and json-c's strings have tokens and cookies in them, and their owners
 * do not. So a core, or a read beyond some end, shows those of requests in flight alone.
 *
 * Linked into each program by itself, not part of an archive: tests keep the C library's.
 */
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autoconf.h"

#ifndef __has_feature
#define __has_feature(what) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                     \
	__has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||           \
	__has_feature(memory_sanitizer)
#define HAS_ITS_OWN 1 /* a sanitizer's allocator ends the process too */
#elif !defined(HAVE___LIBC_MALLOC)
#define HAS_ITS_OWN 1 /* another C library: ours alone are checked */
#endif

#ifndef HAS_ITS_OWN

#define PUBLIC __attribute__((visibility("default")))

/* glibc's names for its functions where a program brings its own (malloc, "Replacing"). */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void __libc_free(void *memory);

PUBLIC void *malloc(size_t size);
PUBLIC void *calloc(size_t count, size_t size);
PUBLIC void *realloc(void *old, size_t size);
PUBLIC void free(void *memory);

/*
 * The least that malloc has room for 32 bytes in, which is the shortest key, token or hash;
 * much of what is given back is shorter. With 64, libfcgi's "PATH_INFO=" and 40 characters
 * of somebody's stayed where they were until the room was given out again.
 */
#define WIPE_FROM_BYTES 40
/*
 * What is larger the C library takes from the kernel and gives back to it, as M_MMAP_THRESHOLD
 * goes no higher. Nothing of ours is; but libfcgi believes a length of 2 GB until it has read
 * that far, and to wipe what was never written would make it memory.
 */
#define WIPE_TO_BYTES (64 * 1024 * 1024)
#define WIPE_AT_ONCE_BYTES 1024

/* Nothing here may allocate. */
__attribute__((cold, noreturn)) static void out_of_memory(void)
{
	static const char message[] = "pintle: out of memory\n";

	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
		_exit(1);
	abort();
}

void *malloc(size_t size)
{
	void *memory = __libc_malloc(size);

	if (!memory)
		out_of_memory();
	return memory;
}

void *calloc(size_t count, size_t size)
{
	void *memory = __libc_calloc(count, size);

	if (!memory)
		out_of_memory();
	return memory;
}

/*
 * In pieces that the C library sets with a few wide stores. For more at once it takes a string
 * instruction, which is not faster at the few KiB that are given back here, and which callgrind
 * counts once for each byte: 16,000 for the buffers of one request.
 */
static void wipe(char *memory, size_t size)
{
	while (size > WIPE_AT_ONCE_BYTES) {
		explicit_bzero(memory, WIPE_AT_ONCE_BYTES);
		memory += WIPE_AT_ONCE_BYTES;
		size -= WIPE_AT_ONCE_BYTES;
	}
	explicit_bzero(memory, size);
}

static size_t wiped(void *memory)
{
	const size_t size = memory ? malloc_usable_size(memory) : 0;

	return size >= WIPE_FROM_BYTES && size <= WIPE_TO_BYTES ? size : 0;
}

void free(void *memory)
{
	wipe(memory, wiped(memory));
	__libc_free(memory);
}

void *realloc(void *old, size_t size)
{
	const size_t had = wiped(old);
	void *memory;

	/* The C library's would leave the old place as it was. */
	if (had && size > had) {
		memory = __libc_malloc(size);
		if (!memory)
			out_of_memory();
		memcpy(memory, old, had);
		wipe(old, had);
		__libc_free(old);
		return memory;
	}
	if (size < had)
		wipe((char *)old + size, had - size);
	memory = __libc_realloc(old, size);
	if (!memory && size)
		out_of_memory();
	return memory;
}

#endif
