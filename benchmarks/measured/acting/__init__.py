"""The people of a case, acting inside the services: what their HTTP requests would lead to.

Clients that speak HTTP would take as much of two cores as the services. So each person's request
enters where the route's own function begins: everything behind it is real, HTTP and the token's
check are left out.
"""
