"""What the drivers share that try whole programs: tests/servers, gate, hostile and the rest.

    box         a run's directory: copies of the programs, configurations, logs
    processes   each ends with us; waiting for something; what is done at once
    tokens      of tests/demo_issuer; addresses and secrets of the run
    database    SQL, and a database that goes away
    http        an HTTP client that hides nothing, and answers
    fcgi        a FastCGI client, record by record
    pintle      configurations, and every way to start pintle.fcgi
    webservers  Apache, lighttpd, nginx with the *-example.conf files; CGI by hand
    checks      what is the same, what is counted, the list of tests
    driver      from a driver's command line to its exit status

Everything listens on loopback or in a directory of the run, and ends with it. What runs the
programs where they were built, and as whoever started it, has tests/harness.py on top of this.
"""
