import concurrent.futures.thread as pool
import logging
import threading


def application(environ, start_response):
    logging.getLogger("x").info("takes the lock")
    with pool.ThreadPoolExecutor() as executor:
        done = executor.submit(lambda: "done").result()
    start_response("200 OK", [])
    locked = logging._lock._is_owned(), pool._global_shutdown_lock.locked()
    assert threading.current_thread() is threading.main_thread()
    return [f"{locked[0]} {locked[1]} {done}".encode()]
