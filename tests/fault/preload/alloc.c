/* Makes one allocation of a process fail, or each of its allocations once: preloaded into the daemon by malloc.py, and
 * never part of it.
 *
 * The file that FAULT_ALLOC names is mapped and shared with the harness, as struct shared says. In the second manner a
 * child is forked at each allocation; it gets NULL and goes on, while its parent waits for its end, writes it down in the
 * file that FAULT_ALLOC_FATES names (struct fate) and goes on with the memory. A fork takes no other thread along, and a
 * child has its parent's files, sockets and database. So where it matters a child is bound: it may compute, speak and end
 * itself, and the first system call beyond that ends it with SIGSYS. Such a one is tried again by the harness, alone and
 * whole, by what stays the same from run to run: the place in the program that allocates, and how often it had done so. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
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
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILD_CPU_SECONDS 3 /* a child that takes longer loops */
#define CHILD_SECONDS 60    /* … or waits for what never comes; generous, for the machine may be busy */
#define FILES_MOST 64       /* descriptors that are looked at */
#define PLACES_MOST 4096    /* in a program that allocate */
#define LIBRARY_SIZE 28     /* of its file's name, cut to that */
#define LINE "<3>"          /* how an error's line begins (base/log.h) */

enum ask {
	ASK_NOTHING,
	ASK_ONE,        /* the times-th allocation of this place fails, or of all places when it is 0 */
	ASK_EACH_FREE,  /* each fails in a child, which then goes on as it likes: reading files harms nobody */
	ASK_EACH_BOUND, /* each fails in a child, which is bound */
};

/* As CONTROL in malloc.py. */
struct shared {
	atomic_int ask;
	atomic_int later;       /* what to ask once the daemon has read its files; its database is not opened then */
	atomic_int era;         /* another number with each ask: counting begins anew */
	atomic_int dealt;       /* how many have failed */
	atomic_llong count;     /* allocations of this era */
	atomic_llong settled;   /* as many of them are over and written down */
	atomic_llong failed_at; /* which of them was the first to fail */
	atomic_llong place, times;
	atomic_llong again;       /* so many allocations after the one that fails another one does; 0: none */
	atomic_llong first, last; /* of the forked ones this process does these */
	atomic_llong zone;        /* seconds west of UTC, where a process that was spared stood in the end */
};

/* As FATE in malloc.py. */
struct fate {
	uint32_t number;
	int32_t status;    /* as waitpid tells it */
	uint32_t words;    /* 0: it said nothing; 1: something; 2: a line of the log */
	uint32_t where;    /* the caller's address in its own library or program */
	uint32_t where_th; /* of this era's allocations there */
	char library[LIBRARY_SIZE];
};

struct place {
	const void *caller;
	char library[LIBRARY_SIZE];
	uint32_t where, times;
	int era;
};

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static struct shared *shared;
static int fates = -1;
static long long child_again; /* in a child: so many more allocations until the second failure */
static pthread_mutex_t places_lock = PTHREAD_MUTEX_INITIALIZER;
static struct place places[PLACES_MOST];

__attribute__((constructor)) static void open_shared(void)
{
	const char *name = getenv("FAULT_ALLOC"), *list = getenv("FAULT_ALLOC_FATES");
	int fd = name ? open(name, O_RDWR | O_CLOEXEC) : -1;
	void *there = fd == -1 ? MAP_FAILED
	                       : mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	(void)prctl(PR_SET_DUMPABLE, 0); /* thousands of core files are of no use */
	if (fd != -1)
		(void)close(fd);
	if (list)
		fates = open(list, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (there != MAP_FAILED)
		shared = there;
}

/* ---- places ---- */

static void name_place(struct place *p, const void *caller)
{
	Dl_info about;
	const char *name;

	*p = (struct place){ .caller = caller };
	if (dladdr(caller, &about) == 0)
		return;
	name = strrchr(about.dli_fname, '/');
	(void)snprintf(p->library, sizeof p->library, "%s", name ? name + 1 : about.dli_fname);
	p->where = (uint32_t)((uintptr_t)caller - (uintptr_t)about.dli_fbase);
}

static struct place *find_place(const void *caller)
{
	size_t at = (uintptr_t)caller * 0x9e3779b97f4a7c15u >> 32;

	for (size_t tries = 0; tries < PLACES_MOST; tries++) {
		struct place *p = &places[(at + tries) % PLACES_MOST];

		if (p->caller == caller)
			return p;
		if (p->caller == NULL) {
			name_place(p, caller);
			return p;
		}
	}
	abort();
}

/* The place, with this allocation counted in. */
static struct place count_there(const void *caller, int era)
{
	struct place copy, *p;

	(void)pthread_mutex_lock(&places_lock);
	p = find_place(caller);
	if (p->era != era)
		p->times = 0;
	p->era = era;
	p->times++;
	copy = *p;
	(void)pthread_mutex_unlock(&places_lock);
	return copy;
}

/* ---- one allocation fails ---- */

static _Bool is_due(struct shared *s, long long number, const struct place *p)
{
	long long place = atomic_load(&s->place), times = atomic_load(&s->times), again = atomic_load(&s->again);
	long long none = 0;

	if (place == 0 ? number == times : place == p->where && p->times == times)
		return atomic_compare_exchange_strong(&s->failed_at, &none, number);
	return again > 0 && atomic_load(&s->failed_at) > 0 && number == atomic_load(&s->failed_at) + again;
}

/* ---- each of them, in a child ---- */

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

#if defined __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)
#define IF(test, value, then, otherwise) BPF_JUMP(BPF_JMP | (test) | BPF_K, (uint32_t)(value), then, otherwise)
#define ALLOW(call) IF(BPF_JEQ, SYS_##call, 0, 1), RETURN(SECCOMP_RET_ALLOW)
#define ALLOW_IF(call, argument, test, value)                                                                          \
	IF(BPF_JEQ, SYS_##call, 0, 3), LOAD(args[argument]), IF(test, value, 0, 1), RETURN(SECCOMP_RET_ALLOW)

/* What a child may do that must not be noticed outside of it: memory, words, its end. Everything else ends it. */
static void bind_child(void)
{
	static struct sock_filter rules[] = {
		LOAD(arch),
		IF(BPF_JEQ, ARCHITECTURE, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
		ALLOW_IF(write, 0, BPF_JEQ, STDERR_FILENO),
		LOAD(nr),
		ALLOW_IF(write, 0, BPF_JEQ, STDOUT_FILENO),
		LOAD(nr),
		ALLOW_IF(mmap, 3, BPF_JSET, MAP_ANONYMOUS),
		LOAD(nr),
		ALLOW(munmap),
		ALLOW(mremap),
		ALLOW(madvise),
		ALLOW(brk),
		ALLOW(getpid),
		ALLOW(gettid),
		ALLOW(tgkill),
		ALLOW(rt_sigaction),
		ALLOW(rt_sigprocmask),
		ALLOW(rt_sigreturn),
		ALLOW(clock_gettime),
		ALLOW(close),
		ALLOW(exit_group),
		RETURN(SECCOMP_RET_KILL_PROCESS),
	};
	const struct sock_fprog program = { sizeof rules / sizeof *rules, rules };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		_exit(EXIT_FAILURE); /* in silence, which the harness takes for a crash */
}

/* Both have the same place in the file, so it stands where the child's words end. */
static uint32_t said_what(int words)
{
	char text[65536];
	off_t length = lseek(words, 0, SEEK_CUR);
	ssize_t n = pread(words, text, length < (off_t)sizeof text ? (size_t)length : sizeof text - 1, 0);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	return strstr(text, LINE) != NULL ? 2 : 1;
}

/* libc does not tell when it has no memory for the time zone: it goes on in UTC. */
static void compare_zone(int status, void *expected)
{
	static const char line[] = "ends well, but in another time zone\n";

	if (status != EXIT_SUCCESS || timezone == (intptr_t)expected)
		return;
	(void)!write(STDERR_FILENO, line, sizeof line - 1);
	_exit(EXIT_FAILURE);
}

__attribute__((destructor)) static void leave_zone(void)
{
	if (shared)
		atomic_store(&shared->zone, timezone);
}

/* A machine that stands still for a while brings one signal for all of that while. */
static void on_second(int number)
{
	static int seconds;

	if (++seconds == CHILD_SECONDS) {
		(void)signal(number, SIG_DFL);
		(void)raise(number);
	}
}

static void limit_wait(void)
{
	struct sigaction each = { .sa_handler = on_second, .sa_flags = SA_RESTART };

	(void)sigaction(SIGALRM, &each, NULL);
	(void)setitimer(ITIMER_REAL, &(struct itimerval){ { 1, 0 }, { 1, 0 } }, NULL);
}

static void become_child(struct shared *s, int words)
{
	_Bool bound = atomic_load(&s->ask) == ASK_EACH_BOUND;

	child_again = atomic_load(&s->again);
	shared = NULL;
	if (dup2(words, STDERR_FILENO) == -1 || dup2(words, STDOUT_FILENO) == -1)
		_exit(EXIT_FAILURE);
	(void)setrlimit(RLIMIT_CPU, &(struct rlimit){ CHILD_CPU_SECONDS, CHILD_CPU_SECONDS + 1 });
	limit_wait();
	if (bound)
		bind_child();
	else if (on_exit(compare_zone, (void *)(intptr_t)atomic_load(&s->zone)) == 0)
		own_places();
	else
		_exit(EXIT_FAILURE);
}

/* true in the child, which goes on without memory. _Fork, because fork waits for locks that this very thread may hold
 * where libc allocates. */
static _Bool try_without(struct shared *s, long long number, const struct place *p)
{
	static _Thread_local int words = -1;
	int kept = errno, status = 0;
	pid_t child;

	if (words == -1)
		words = memfd_create("words", MFD_CLOEXEC);
	if (lseek(words, 0, SEEK_SET) != 0)
		abort();
	child = _Fork();
	if (child == 0) {
		become_child(s, words);
		return 1;
	}
	while (child != -1 && waitpid(child, &status, 0) == -1 && errno == EINTR)
		;
	struct fate f = { (uint32_t)number, status, said_what(words), p->where, p->times, { 0 } };

	memcpy(f.library, p->library, sizeof f.library);
	if (child == -1 || write(fates, &f, sizeof f) != sizeof f)
		abort();
	errno = kept;
	return 0;
}

/* ---- every allocation comes by here ---- */

static _Bool is_refused(struct shared *s, int ask, long long number, const struct place *p)
{
	if (ask != ASK_ONE)
		return number >= atomic_load(&s->first) && number <= atomic_load(&s->last) && try_without(s, number, p);
	if (!is_due(s, number, p))
		return 0;
	atomic_fetch_add(&s->dealt, 1);
	return 1;
}

static _Bool count_and_refuse(struct shared *s, int ask, const void *caller)
{
	long long number = atomic_fetch_add(&s->count, 1) + 1;
	const struct place p = count_there(caller, atomic_load(&s->era));
	_Bool refused = is_refused(s, ask, number, &p);

	if (shared) /* a child is not counted */
		atomic_fetch_add(&s->settled, 1);
	return refused;
}

static _Bool fails(const void *caller)
{
	static _Thread_local _Bool inside;
	struct shared *s = shared;
	int ask = s && !inside ? atomic_load_explicit(&s->ask, memory_order_relaxed) : ASK_NOTHING;
	_Bool refused = child_again > 0 && --child_again == 0;

	if (ask != ASK_NOTHING) {
		inside = 1;
		refused = count_and_refuse(s, ask, caller);
		inside = 0;
	}
	if (refused)
		errno = ENOMEM;
	return refused;
}

typedef void (*event_log_cb)(int severity, const char *message);
void event_set_log_callback(event_log_cb callback);

/* The first thing the daemon does with what it has read. */
void event_set_log_callback(event_log_cb callback)
{
	union {
		void *object;
		void (*function)(event_log_cb callback);
	} own = { .object = dlsym(RTLD_NEXT, "event_set_log_callback") };
	struct shared *s = shared;

	own.function(callback);
	if (s && atomic_load(&s->later) != ASK_NOTHING)
		atomic_store(&s->ask, atomic_exchange(&s->later, ASK_NOTHING));
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
