/* A disk that fails or forgets, for the files below one folder; preloaded before the C library.

   DISK_ROOT   the folder
   DISK_LOG    file in which every change is noted, in order, for a later loss of power
   DISK_FAIL_AT, DISK_ERRNO   the change from which on each one fails, and how

   Linux only. Build: cc -shared -fPIC -O1 -o failing_disk.so failing_disk.c -ldl */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -2;
static long changes;

#define NEXT(name, type) static __typeof__(type) next; if (!next) next = (__typeof__(type))dlsym(RTLD_NEXT, name)

static int below(const char *path) {
    const char *root = getenv("DISK_ROOT");
    return root && path && !strncmp(path, root, strlen(root));
}

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, 4095);
    if (size < 0) return 0;
    path[size] = 0;
    return below(path);
}

/* Return whether this change fails; kinds: w(rite), n(ame), s(ync). */
static int fails(char kind) {
    const char *at = getenv("DISK_FAIL_AT"), *number = getenv("DISK_ERRNO");
    long count = __sync_add_and_fetch(&changes, 1);
    if (!at || !number || count < atol(at)) return 0;
    errno = atoi(number);
    if (errno == ENOSPC && kind != 'w') return 0;
    return 1;
}

static void note(char kind, const char *path, const char *other, long offset,
                 const void *data, unsigned size) {
    const char *name = getenv("DISK_LOG");
    if (!name) return;
    pthread_mutex_lock(&lock);
    if (log_fd == -2)
        log_fd = syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    unsigned lengths[2] = {strlen(path), other ? strlen(other) : 0};
    syscall(SYS_write, log_fd, &kind, 1);
    syscall(SYS_write, log_fd, lengths, sizeof lengths);
    syscall(SYS_write, log_fd, &offset, sizeof offset);
    syscall(SYS_write, log_fd, &size, sizeof size);
    syscall(SYS_write, log_fd, path, lengths[0]);
    if (other) syscall(SYS_write, log_fd, other, lengths[1]);
    if (size) syscall(SYS_write, log_fd, data, size);
    pthread_mutex_unlock(&lock);
}

static const char *absolute(int folder, const char *path, char *room) {
    if (path[0] == '/' ) return path;
    char at[4096];
    if (folder == AT_FDCWD) { if (!getcwd(at, sizeof at)) return path; }
    else if (!path_of(folder, at)) return path;
    snprintf(room, 8192, "%s/%s", at, path);
    return room;
}

static int opened(const char *path, int flags, int result) {
    if (result >= 0 && below(path)) {
        if (flags & O_CREAT) note('C', path, 0, 0, 0, 0);
        if (flags & O_TRUNC) note('T', path, 0, 0, 0, 0);
    }
    return result;
}

#define OPEN(name)                                                                         \
    int name(const char *path, int flags, ...) {                                           \
        NEXT(#name, int (*)(const char *, int, ...));                                      \
        va_list list; va_start(list, flags); mode_t mode = va_arg(list, int); va_end(list); \
        char room[8192]; const char *whole = absolute(AT_FDCWD, path, room);               \
        if (below(whole) && flags & (O_CREAT | O_TRUNC) && fails('w')) return -1;          \
        return opened(whole, flags, next(path, flags, mode));                              \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                       \
    int name(int folder, const char *path, int flags, ...) {                               \
        NEXT(#name, int (*)(int, const char *, int, ...));                                 \
        va_list list; va_start(list, flags); mode_t mode = va_arg(list, int); va_end(list); \
        char room[8192]; const char *whole = absolute(folder, path, room);                 \
        if (below(whole) && flags & (O_CREAT | O_TRUNC) && fails('w')) return -1;          \
        return opened(whole, flags, next(folder, path, flags, mode));                      \
    }
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int fd, const void *data, size_t size) {
    NEXT("write", ssize_t (*)(int, const void *, size_t));
    char path[4096];
    if (!path_of(fd, path)) return next(fd, data, size);
    if (fails('w')) return -1;
    long offset = lseek(fd, 0, SEEK_CUR);
    ssize_t done = next(fd, data, size);
    if (done > 0) note('W', path, 0, offset, data, done);
    return done;
}

#define PWRITE(name)                                                                       \
    ssize_t name(int fd, const void *data, size_t size, off_t offset) {                    \
        NEXT(#name, ssize_t (*)(int, const void *, size_t, off_t));                        \
        char path[4096];                                                                   \
        if (!path_of(fd, path)) return next(fd, data, size, offset);                       \
        if (fails('w')) return -1;                                                         \
        ssize_t done = next(fd, data, size, offset);                                       \
        if (done > 0) note('W', path, 0, offset, data, done);                              \
        return done;                                                                       \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

#define TRUNCATE(name)                                                                     \
    int name(int fd, off_t size) {                                                         \
        NEXT(#name, int (*)(int, off_t));                                                  \
        char path[4096];                                                                   \
        if (!path_of(fd, path)) return next(fd, size);                                     \
        if (fails('w')) return -1;                                                         \
        int done = next(fd, size);                                                         \
        if (!done) note('T', path, 0, size, 0, 0);                                         \
        return done;                                                                       \
    }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define SYNC(name)                                                                         \
    int name(int fd) {                                                                     \
        NEXT(#name, int (*)(int));                                                         \
        char path[4096];                                                                   \
        if (!path_of(fd, path)) return next(fd);                                           \
        if (fails('s')) return -1;                                                         \
        note('S', path, 0, 0, 0, 0);                                                       \
        return 0; /* nothing is lost but in the log's retelling */                         \
    }
SYNC(fsync)
SYNC(fdatasync)

int rename(const char *old, const char *new) {
    NEXT("rename", int (*)(const char *, const char *));
    if (!below(new)) return next(old, new);
    if (fails('n')) return -1;
    int done = next(old, new);
    if (!done) note('R', old, new, 0, 0, 0);
    return done;
}

int renameat(int from, const char *old, int to, const char *new) {
    NEXT("renameat", int (*)(int, const char *, int, const char *));
    char one[8192], two[8192];
    const char *source = absolute(from, old, one), *target = absolute(to, new, two);
    if (!below(target)) return next(from, old, to, new);
    if (fails('n')) return -1;
    int done = next(from, old, to, new);
    if (!done) note('R', source, target, 0, 0, 0);
    return done;
}

int link(const char *old, const char *new) {
    NEXT("link", int (*)(const char *, const char *));
    if (!below(new)) return next(old, new);
    if (fails('w')) return -1;
    int done = next(old, new);
    if (!done) note('L', old, new, 0, 0, 0);
    return done;
}

int linkat(int from, const char *old, int to, const char *new, int flags) {
    NEXT("linkat", int (*)(int, const char *, int, const char *, int));
    char one[8192], two[8192];
    const char *source = absolute(from, old, one), *target = absolute(to, new, two);
    if (!below(target)) return next(from, old, to, new, flags);
    if (fails('w')) return -1;
    int done = next(from, old, to, new, flags);
    if (!done) note('L', source, target, 0, 0, 0);
    return done;
}

int unlink(const char *path) {
    NEXT("unlink", int (*)(const char *));
    char room[8192]; const char *whole = absolute(AT_FDCWD, path, room);
    if (!below(whole)) return next(path);
    if (fails('n')) return -1;
    int done = next(path);
    if (!done) note('U', whole, 0, 0, 0, 0);
    return done;
}

int unlinkat(int folder, const char *path, int flags) {
    NEXT("unlinkat", int (*)(int, const char *, int));
    char room[8192]; const char *whole = absolute(folder, path, room);
    if (!below(whole) || flags & AT_REMOVEDIR) return next(folder, path, flags);
    if (fails('n')) return -1;
    int done = next(folder, path, flags);
    if (!done) note('U', whole, 0, 0, 0, 0);
    return done;
}

int mkdir(const char *path, mode_t mode) {
    NEXT("mkdir", int (*)(const char *, mode_t));
    if (below(path) && fails('w')) return -1;
    return next(path, mode);
}

/* Copies inside the kernel are done by reading and writing instead, which is noted. */
ssize_t sendfile(int to, int from, off_t *offset, size_t size) { errno = ENOTSOCK; return -1; }
ssize_t sendfile64(int to, int from, off_t *offset, size_t size) { errno = ENOTSOCK; return -1; }
ssize_t copy_file_range(int from, off64_t *a, int to, off64_t *b, size_t size, unsigned flags) {
    errno = EXDEV;
    return -1;
}
