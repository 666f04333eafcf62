#!/usr/bin/env python3
"""Listens before a server of the Redis protocol and answers later: by DELAY always, by EXTRA more for a share SLOW of the answers.

proxy.py SERVER_PORT DELAY [SLOW EXTRA]     seconds and a share; prints the port that it listens on, and serves until it is ended

Every connection has threads of its own and carries one request at a time, as a pool with exclusive checkout does.
"""

import random
import socket
import sys
import threading
import time

SERVER = int(sys.argv[1])
DELAY = float(sys.argv[2])
SLOW, EXTRA = (float(sys.argv[3]), float(sys.argv[4])) if len(sys.argv) > 4 else (0.0, 0.0)


def carry(source, sink, late):
    try:
        while data := source.recv(1 << 16):
            if late:
                time.sleep(DELAY + (EXTRA if random.random() < SLOW else 0.0))
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def main():
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", SERVER))
        except OSError:
            client.close()
            continue
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=carry, args=(client, server, False), daemon=True).start()
        threading.Thread(target=carry, args=(server, client, True), daemon=True).start()


main()
