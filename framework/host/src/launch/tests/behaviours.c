/* A process that takes memory in the way that its first argument names, then sleeps. The limits of the
   test are 200 MiB of memory and 400 MiB of files. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

static void *take(size_t mib) {
    char *block = malloc(mib * MIB);
    memset(block, 1, mib * MIB);
    return block;
}

static void *shared(size_t mib) {
    return mmap(0, mib * MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static int memory_file(size_t mib) {
    static char buffer[1 << 20];
    int file = syscall(SYS_memfd_create, "x", 0);
    for (size_t i = 0; i < mib; i++)
        if (write(file, buffer, sizeof buffer) < 0) exit(3);
    return file;
}

static void *with_own_descriptors(void *nothing) {
    if (unshare(CLONE_FILES)) exit(4);
    memory_file(300);
    sleep(30);
    return nothing;
}

static void *later(void *nothing) {
    usleep(200000);
    take(300);
    sleep(30);
    return nothing;
}

int main(int count, char **arguments) {
    const char *how = arguments[count - 1];
    pthread_t thread;
    if (!strcmp(how, "children")) {
        for (int i = 0; i < 10; i++)
            if (!fork()) {
                take(40);
                sleep(30);
                _exit(0);
            }
    } else if (!strcmp(how, "memory-file")) {
        memory_file(300);
    } else if (!strcmp(how, "mapped-memory-file")) {
        int file = memory_file(300);
        mmap(0, 300 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        close(file);
    } else if (!strcmp(how, "own-descriptors")) {
        pthread_create(&thread, 0, with_own_descriptors, 0);
    } else if (!strcmp(how, "shared-mapping")) {
        memset(shared(300), 1, 300 * MIB);
    } else if (!strcmp(how, "shared-mapping-of-dead-children")) {
        char *block = shared(300);
        for (int i = 0; i < 10; i++)
            if (!fork()) {
                memset(block + i * 30 * MIB, 1, 30 * MIB);
                _exit(0);
            }
    } else if (!strcmp(how, "no-first-thread")) {
        pthread_create(&thread, 0, later, 0);
        pthread_exit(0);
    } else if (!strcmp(how, "fork-shares")) {
        take(120);
        for (int i = 0; i < 5; i++)
            if (!fork()) {
                sleep(2);
                _exit(0);
            }
        sleep(2);
        return 0;
    } else if (!strcmp(how, "vfork")) {
        take(120);
        for (int i = 0; i < 300; i++) {
            if (!vfork()) {
                usleep(5000);
                execl("/bin/true", "true", (char *)0);
                _exit(1);
            }
            wait(0);
        }
        return 0;
    } else if (!strcmp(how, "shared-by-many")) {
        char *block = shared(120);
        memset(block, 1, 120 * MIB);
        for (int i = 0; i < 5; i++)
            if (!fork()) {
                memset(block, 2, 120 * MIB);
                sleep(2);
                _exit(0);
            }
        sleep(2);
        return 0;
    } else if (!strcmp(how, "many-files")) {
        static char buffer[1 << 20];
        char name[100] = "d";
        for (int i = 0; i < 500; i++) {
            if (i % 50 == 0) {
                if (mkdir(name, 0700)) return 5;
                strcat(name, "/d");
            }
            char path[120];
            snprintf(path, sizeof path, "%.*s%d", (int)strlen(name) - 1, name, i);
            FILE *file = fopen(path, "w");
            if (!file || fwrite(buffer, 1, sizeof buffer, file) != sizeof buffer) return 6;
            fclose(file);
        }
    } else if (!strcmp(how, "deleted-file")) {
        static char buffer[1 << 20];
        FILE *file = fopen("gone", "w");
        unlink("gone");
        for (int i = 0; i < 500; i++) fwrite(buffer, 1, sizeof buffer, file);
        fflush(file);
    } else if (!strcmp(how, "named-file")) {
        FILE *file = fopen("big", "w+");
        static char buffer[1 << 20];
        for (int i = 0; i < 300; i++) fwrite(buffer, 1, sizeof buffer, file);
        fflush(file);
        char *block = mmap(0, 300 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
        memset(block, 1, 300 * MIB);
        sleep(1);
        return 0;
    } else {
        return 2;
    }
    sleep(30);
    return 0;
}
