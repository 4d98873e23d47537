import random

seven = random.Random(7).getstate()
own = random.Random(7)
own.random()
random.seed(1)
random.gauss()  # draws two numbers and keeps one
image = random.getstate()


def bad():
    try:
        random.setstate((3, (1, 2, 3), None))
    except ValueError as e:
        return type(e).__name__


def shuffled():
    deck = list(range(40))
    random.shuffle(deck)
    return deck


def after(value):
    return lambda: (value(), random.random())[1]


ways = {
    "/seed": after(lambda: random.seed(7)),
    "/set": after(lambda: random.setstate(seven)),
    "/bad": bad,
    "/own": own.random,
    "/kept": after(lambda: random.setstate(image)),
    "/random": random.random,
    "/bits": lambda: random.getrandbits(64),
    "/state": lambda: hash(random.getstate()),
    "/gauss": random.gauss,
    "/shuffle": shuffled,
    "/after-bad": after(bad),
}


def application(environ, start_response):
    start_response("200 OK", [])
    return [str(ways[environ["PATH_INFO"]]()).encode()]
