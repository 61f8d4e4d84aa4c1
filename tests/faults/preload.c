/* Stands between SQLite and the system, for one folder: counts the calls that write, spoils one of
 * them, and writes down what is written.
 *
 * Why a library: the calls of a process can be seen without a kernel module, without privileges and
 * at full speed only from inside of it, where the dynamic linker finds this library first.
 * Why so little: what a fault means is judged in Python; here it is only made.
 *
 * Watched are the files whose name begins with "jobs.db", and the folder itself, whose fsync is
 * what makes a new name durable.
 * The shared memory file ("-shm") is left out: it is a cache that is mapped rather than written, no
 * call says when it changes, and the first process to open the database makes it anew.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind { NONE, KILL_BEFORE, KILL_AFTER, FAIL_EIO, FAIL_ENOSPC, SHORT_WRITE };
enum what { OPENED, CREATED, WRITTEN, TRUNCATED, SYNCED, UNLINKED, RENAMED, CLOSED, MARKED };
enum { MAX_FILES = 1024, ONE_CALL = 1, FROM_THEN_ON = 2 };

static char folder[4096];
static enum kind kind;
static int at, lasts, passed, trace = -1;
static char watched[MAX_FILES]; /* By file descriptor. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Looked up by name at each call: calls are few, and nothing can be wrong at start-up. */
#define REAL(name, ...) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))(__VA_ARGS__)

/* Begin to watch a folder; the n-th call from now, counted from 1, is spoiled. */
void faults_arm(const char *watched_folder, int which, int nth, int how_long)
{
    snprintf(folder, sizeof folder, "%s", watched_folder);
    kind = which, at = nth, lasts = how_long, passed = 0;
}

/* The fault is over; the calls are counted on. */
void faults_mend(void) { kind = NONE; }

int faults_passed(void) { return passed; }

/* Begin to write down what is done, into a file outside of the folder. */
void faults_trace(const char *path)
{
    trace = REAL(open, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static void note(enum what what, int fd, uint64_t offset, const void *data, uint64_t size)
{
    struct { uint32_t what; int32_t fd; uint64_t offset, size; } head = {what, fd, offset, size};
    if (trace < 0)
        return;
    /* A trace that lacks a part would prove anything: better no process than no trace. */
    if (REAL(write, trace, &head, sizeof head) != sizeof head)
        raise(SIGABRT);
    if (data && size && REAL(write, trace, data, size) != (ssize_t)size)
        raise(SIGABRT);
}

/* Something outside of the disk happened here: a commit was acknowledged. */
void faults_mark(uint64_t number)
{
    pthread_mutex_lock(&lock);
    note(MARKED, -1, number, NULL, 0);
    pthread_mutex_unlock(&lock);
}

static int is_watched(const char *path)
{
    size_t length = strlen(folder), whole = strlen(path);
    if (!length || strncmp(path, folder, length))
        return 0;
    if (!path[length])
        return 1;
    if (whole > 4 && !strcmp(path + whole - 4, "-shm"))
        return 0;
    /* The ledger is the world outside: nothing befalls it, but a trace says when it was written. */
    return !strncmp(path + length, "/jobs.db", 8) || (trace >= 0 && !strcmp(path + length, "/ledger"));
}

static int holds(int fd) { return fd >= 0 && fd < MAX_FILES && watched[fd]; }

/* Count a call; say whether it is to be spoiled, and how. */
static enum kind strike(void)
{
    int now = ++passed;
    if (kind == NONE || now < at || (now > at && lasts != FROM_THEN_ON))
        return NONE;
    if (kind == KILL_BEFORE)
        raise(SIGKILL);
    return kind;
}

/* Turn a fault into what the call returns; 0 lets the call through. */
static int fails(enum kind fault)
{
    if (fault != FAIL_EIO && fault != FAIL_ENOSPC)
        return 0;
    errno = fault == FAIL_EIO ? EIO : ENOSPC;
    return 1;
}

static void survive(enum kind fault)
{
    if (fault == KILL_AFTER)
        raise(SIGKILL);
}

static int open_with(const char *name, const char *path, int flags, mode_t mode)
{
    int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, name);
    struct stat found;
    enum kind fault;
    int fd = -1, is_new;
    if (!is_watched(path))
        return real(path, flags, mode);
    pthread_mutex_lock(&lock);
    is_new = (flags & O_CREAT) && stat(path, &found) < 0;
    fault = strike();
    if (!fails(fault)) {
        fd = real(path, flags, mode);
        if (fd >= 0 && fd < MAX_FILES) {
            watched[fd] = 1;
            note(is_new ? CREATED : OPENED, fd, 0, path, strlen(path));
        }
        survive(fault);
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

#define OPEN(name)                                          \
    int name(const char *path, int flags, ...)              \
    {                                                       \
        va_list rest;                                       \
        mode_t mode;                                        \
        va_start(rest, flags);                              \
        mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;  \
        va_end(rest);                                       \
        return open_with(#name, path, flags, mode);         \
    }
OPEN(open)
OPEN(open64)

int close(int fd)
{
    if (holds(fd)) {
        watched[fd] = 0;
        note(CLOSED, fd, 0, NULL, 0);
    }
    return REAL(close, fd);
}

/* Write at a place, or where the file stands (offset -1), as the real calls do. */
static ssize_t write_at(int fd, const void *data, size_t size, off64_t offset)
{
    enum kind fault;
    ssize_t done = -1;
    pthread_mutex_lock(&lock);
    fault = strike();
    if (fault == SHORT_WRITE && passed > at)
        fault = FAIL_ENOSPC; /* A disk that is full takes a part once, and then nothing. */
    if (!fails(fault)) {
        if (fault == SHORT_WRITE)
            size -= size / 2;
        done = offset < 0 ? REAL(write, fd, data, size) : REAL(pwrite64, fd, data, size, offset);
        if (done > 0)
            note(WRITTEN, fd, offset < 0 ? lseek64(fd, 0, SEEK_CUR) - done : offset, data, done);
        survive(fault);
    }
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t write(int fd, const void *data, size_t size)
{
    return holds(fd) ? write_at(fd, data, size, -1) : REAL(write, fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return holds(fd) ? write_at(fd, data, size, offset) : REAL(pwrite, fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    return holds(fd) ? write_at(fd, data, size, offset) : REAL(pwrite64, fd, data, size, offset);
}

/* A call that returns 0 or -1 on a descriptor: the rest differ in their name and their note. */
#define CALL(watching, real, noting)       \
    enum kind fault;                       \
    int done = -1;                         \
    if (!(watching))                       \
        return real;                       \
    pthread_mutex_lock(&lock);             \
    fault = strike();                      \
    if (!fails(fault)) {                   \
        done = real;                       \
        if (!done)                         \
            noting;                        \
        survive(fault);                    \
    }                                      \
    pthread_mutex_unlock(&lock);           \
    return done

int fsync(int fd) { CALL(holds(fd), REAL(fsync, fd), note(SYNCED, fd, 0, NULL, 0)); }

int fdatasync(int fd) { CALL(holds(fd), REAL(fdatasync, fd), note(SYNCED, fd, 0, NULL, 0)); }

int ftruncate(int fd, off_t size)
{
    CALL(holds(fd), REAL(ftruncate, fd, size), note(TRUNCATED, fd, size, NULL, 0));
}

int ftruncate64(int fd, off64_t size)
{
    CALL(holds(fd), REAL(ftruncate64, fd, size), note(TRUNCATED, fd, size, NULL, 0));
}

int unlink(const char *path)
{
    CALL(is_watched(path), REAL(unlink, path), note(UNLINKED, -1, 0, path, strlen(path)));
}

/* A store renames nothing; if SQLite ever does, the disk model has to learn it, and says so. */
int rename(const char *from, const char *to)
{
    CALL(is_watched(from), REAL(rename, from, to), note(RENAMED, -1, 0, to, strlen(to)));
}
