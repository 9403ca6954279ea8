// REST
