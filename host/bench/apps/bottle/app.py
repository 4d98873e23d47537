import bottle

application = bottle.Bottle()


@application.route("/")
def hello():
    return "Hello, world!\n"
