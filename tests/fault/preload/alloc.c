/* Makes one allocation of a process fail, or each of its allocations once: preloaded into the daemon by malloc.py, and
 * never part of it.
 *
 * The file that FAULT_ALLOC names is mapped and shared with the harness:
 *   ask     0: nothing; 1: count, and let the fail_at-th from now fail, and the again-th after that one; 2: at each
 *           allocation let a forked child live on without it, and write down what became of the child; 3: as 1, but
 *           only once the daemon makes its event loop, which is when its files are read and its database is not
 *   count   allocations since the harness set it to 0
 *   dealt   how many have failed
 * In the second manner children's fates are written to the file that FAULT_ALLOC_FATES names, 16 bytes each: number of
 * the allocation, status as waitpid tells it, what the child had said before, the caller's
 * address. Only allocations of one thread can be treated so: a fork takes no other thread along. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_CPU_SECONDS 3 /* a child that takes longer loops */
#define CHILD_SECONDS 120   /* … or waits for what never comes; generous, for the machine may be busy */
#define EACH_UNTIL 6000     /* then come the map's, three quarters of a million and all alike */
#define FILES_MOST 64       /* descriptors that are looked at */
#define LINE "<3>"          /* how an error's line begins (base/log.h) */

struct shared {
	atomic_int ask;
	atomic_int dealt;
	atomic_llong count, fail_at, again;
	/* Of the second manner: this process does one part of so many, and beyond EACH_UNTIL each so many-th of that. */
	atomic_llong every, part, parts;
};

struct fate {
	uint32_t number;
	int32_t status;
	uint32_t words;  /* as said_what tells it */
	uint32_t caller; /* the low half: enough to tell places apart */
};

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static struct shared *shared;
static int fates = -1;

__attribute__((constructor)) static void open_shared(void)
{
	const char *name = getenv("FAULT_ALLOC"), *list = getenv("FAULT_ALLOC_FATES");
	int fd = name ? open(name, O_RDWR | O_CLOEXEC) : -1;
	void *there = fd == -1 ? MAP_FAILED
	                       : mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	(void)prctl(PR_SET_DUMPABLE, 0); /* thousands of core files are of no use */
	if (list)
		fates = open(list, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (there != MAP_FAILED)
		shared = there;
}

/* ---- one allocation fails ---- */

static _Bool is_due(long long number)
{
	long long at = atomic_load(&shared->fail_at), again = atomic_load(&shared->again);

	return number == at || (again > 0 && number == at + again);
}

/* ---- each of them, in a child ---- */

/* 0: nothing was said; 1: something was; 2: a line of the log. */
static uint32_t said_what(int words)
{
	char text[65536];
	ssize_t n = pread(words, text, sizeof text - 1, 0);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	return strstr(text, LINE) != NULL ? 2 : 1;
}

static void write_fate(long long number, int status, uint32_t words, const void *caller)
{
	const struct fate f = { (uint32_t)number, status, words, (uint32_t)(uintptr_t)caller };

	if (write(fates, &f, sizeof f) != sizeof f)
		abort();
}

/* A child's reading must not move its parent's place in a file that both have open. */
static void own_places(void)
{
	for (int fd = 3; fd < FILES_MOST; fd++) {
		char name[32];
		struct stat st;
		int own;

		if (fd == fates || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink == 0)
			continue;
		(void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
		own = open(name, (fcntl(fd, F_GETFL) & O_ACCMODE) | O_CLOEXEC);
		if (own == -1 || lseek(own, lseek(fd, 0, SEEK_CUR), SEEK_SET) == -1 || dup2(own, fd) == -1)
			abort();
		(void)close(own);
	}
}

/* true in the child, which goes on without memory. */
static _Bool try_without(long long number, const void *caller)
{
	static int words = -1;
	int kept = errno, status = 0;
	pid_t child;

	if (words == -1)
		words = memfd_create("words", MFD_CLOEXEC);
	if (ftruncate(words, 0) != 0)
		abort();
	child = fork();
	if (child == 0) {
		own_places();
		(void)lseek(words, 0, SEEK_SET);
		(void)dup2(words, STDERR_FILENO);
		(void)dup2(words, STDOUT_FILENO);
		(void)setrlimit(RLIMIT_CPU, &(struct rlimit){ CHILD_CPU_SECONDS, CHILD_CPU_SECONDS + 1 });
		(void)alarm(CHILD_SECONDS);
		shared = NULL;
		return 1;
	}
	if (child == -1 || waitpid(child, &status, 0) != child)
		abort();
	write_fate(number, status, said_what(words), caller);
	errno = kept;
	return 0;
}

static _Bool is_chosen(struct shared *s, long long number)
{
	long long parts = atomic_load(&s->parts);

	return number % parts == atomic_load(&s->part) &&
	       (number <= EACH_UNTIL || number / parts % atomic_load(&s->every) == 0);
}

static _Bool fails(const void *caller)
{
	static _Thread_local _Bool inside;
	struct shared *s = shared;
	int ask = s && !inside ? atomic_load_explicit(&s->ask, memory_order_relaxed) : 0;
	long long number;
	_Bool due = 0;

	if (ask == 0 || ask == 3)
		return 0;
	number = atomic_fetch_add(&s->count, 1) + 1;
	inside = 1;
	if (ask == 1)
		due = is_due(number);
	else if (is_chosen(s, number))
		due = try_without(number, caller);
	inside = 0;
	if (due) {
		atomic_fetch_add(&s->dealt, 1);
		errno = ENOMEM;
	}
	return due;
}

struct event_base;
struct event_base *event_base_new(void);

struct event_base *event_base_new(void)
{
	union {
		void *object;
		struct event_base *(*function)(void);
	} own = { .object = dlsym(RTLD_NEXT, "event_base_new") };
	int waiting = 3;

	if (shared)
		(void)atomic_compare_exchange_strong(&shared->ask, &waiting, 1);
	return own.function();
}

#define CALLER __builtin_return_address(0)

void *malloc(size_t size)
{
	return fails(CALLER) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails(CALLER) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return size > 0 && fails(CALLER) ? NULL : __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size)
{
	return fails(CALLER) ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return fails(CALLER) ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
	void *p = fails(CALLER) ? NULL : __libc_memalign(alignment, size);

	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}
