#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int meta_stop_signal(pid_t pid) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    int result;
    do {
        result = waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG);
    } while (result != 0 && errno == EINTR);
    return result == 0 && info.si_pid == pid ? info.si_status : 0;
}

int meta_set_foreground(int terminal, pid_t group) {
    // Who is in the background may change this only while SIGTTOU cannot stop it.
    sigset_t output, before;
    sigemptyset(&output);
    sigaddset(&output, SIGTTOU);
    sigprocmask(SIG_BLOCK, &output, &before);
    int result = tcsetpgrp(terminal, group);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return result;
}
