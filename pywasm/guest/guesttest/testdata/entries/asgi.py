async def application(scope, receive, send):
    pass


class Framework:
    async def __call__(self, scope, receive, send):
        pass


instance = Framework()
