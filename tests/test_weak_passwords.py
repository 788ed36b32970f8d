"""One weak password, two places: a secret in the one, and in the other an example.

The cases are clear to a person. Those in ``WAITING`` come out wrong for now: nothing may be added
to them but with a reason, and a model that gets one of them right takes it from the list.
"""

from __future__ import annotations

from collections.abc import Mapping

from material import builtin_scanner
from weak_pairs import MORE, Pair

PAIRS = {
    "env": Pair(
        "admin123",
        "deploy/prod.env", "DB_HOST=db.internal\nDB_PASSWORD=§§\n",
        ".env.example", "DB_HOST=localhost\nDB_PASSWORD=§§\n",
    ),
    "yaml": Pair(
        "admin123",
        "config/production.yml", "production:\n  host: db.internal\n  password: §§\n",
        "README.md", "Copy the file and set:\n\n    password: §§\n",
    ),
    "sql user": Pair(
        "admin123",
        "backup.sql", "CREATE USER 'shop'@'%' IDENTIFIED BY '§§';\n",
        "docs/install.md", "```sql\nCREATE USER 'shop'@'%' IDENTIFIED BY '§§';\n```\n",
    ),
    "sql update": Pair(
        "summer2023",
        "dump.sql", "UPDATE users SET password = '§§' WHERE id = 1;\n",
        "docs/reset.md", "Run `UPDATE users SET password = '§§' WHERE id = 1` if you lost it.\n",
    ),
    "connection string": Pair(
        "Passw0rd!",
        "appsettings.Production.json",
        '{"ConnectionStrings": {"Main": "Server=sql01;User Id=sa;Password=§§;"}}\n',
        "docs/connect.md", "Use a string like `Server=myServer;User Id=myUser;Password=§§;`\n",
    ),
    "connection string, xml": Pair(
        "hunter22",
        "web.config", '<add name="Main" connectionString="Server=sql01;User Id=a;Password=§§"/>\n',
        "README.md", '    <add name="X" connectionString="Server=H;User Id=USER;Password=§§"/>\n',
    ),
    "tfvars": Pair(
        "Passw0rd!",
        "prod.tfvars", 'db_password = "§§"\n',
        "terraform.tfvars.example", 'db_password = "§§"\n',
    ),
    "django": Pair(
        "Passw0rd!",
        "settings.py", "DATABASES = {'default': {'USER': 'shop', 'PASSWORD': '§§', 'HOST': 'a'}}\n",
        "tests/test_login.py", "    client.post('/login', {'user': 'a', 'password': '§§'})\n",
    ),
    "compose": Pair(
        "changeme",
        "docker-compose.prod.yml", "      MYSQL_ROOT_PASSWORD: §§\n",
        ".env.example", "MYSQL_ROOT_PASSWORD=§§\n",
    ),
    "rails": Pair(
        "changeme1",
        "config/environments/production.rb", "connect(host: 'a', user: 'b', password: '§§')\n",
        "config.sample.yml", "password: §§\n",
    ),
    "wordpress": Pair(
        "letmein1",
        "wp-config.php", "define( 'DB_USER', 'wp' );\ndefine( 'DB_PASSWORD', '§§' );\n",
        "wp-config-sample.php",
        "define( 'DB_USER', 'username_here' );\ndefine( 'DB_PASSWORD', '§§' );\n",
    ),
    "chat": Pair(
        "letmein1",
        "chat.txt", "bo: the vpn password is §§, don't tell\n",
        "README.md", "Never use a password like §§ or qwerty.\n",
    ),
    "ini": Pair(
        "letmein1",
        "config.ini", "[mail]\nuser = bo@corp.com\npassword = §§\n",
        "spec/mail_spec.rb", "  let(:params) { { password: '§§' } }\n",
    ),
    "maven": Pair(
        "hunter22",
        "settings.xml", "<server>\n  <username>deploy</username>\n  <password>§§</password>\n",
        "form.jsx", '<input type="password" placeholder="§§" />\n',
    ),
    "spring": Pair(
        "qwerty123",
        "application-prod.properties",
        "spring.datasource.username=shop\nspring.datasource.password=§§\n",
        "src/test/resources/application-test.properties", "spring.datasource.password=§§\n",
    ),
    "mongo url": Pair(
        "qwerty123",
        "server.js", "connect('mongodb://shop:§§@db1.internal:27017/shop')\n",
        "docs/mongo.md", "    connect('mongodb://user:§§@localhost:27017/test')\n",
    ),
    "postgres url": Pair(
        "qwerty123",
        "prod.env", "DATABASE_URL=postgres://shop:§§@10.2.3.4:5432/shop\n",
        ".env.example", "DATABASE_URL=postgres://user:§§@db.example.com:5432/name\n",
    ),
    "users": Pair(
        "summer2023",
        "users.yml", "- name: bo\n  email: bo@corp.com\n  password: §§\n",
        "locales/en.json", '"passwordHint": "Such as §§"\n',
    ),
    "users, json": Pair(
        "sunshine1",
        "users.json", '[{"user":"bo","email":"bo@corp.com","password":"§§"}]\n',
        "openapi.yml", "      password:\n        type: string\n        example: §§\n",
    ),
    "my.cnf": Pair(
        "root",
        "my.cnf", "[client]\nuser=root\npassword=§§\n",
        "README.md", "    mysql -u root -p §§\n",
    ),
    "option": Pair(
        "test1234",
        "deploy.sh", "mysql -h db1 -u shop --password=§§ shop < a.sql\n",
        "tests/fixtures/a.sh", "mysql -u test --password=§§ test\n",
    ),
    "flask": Pair(
        "secret123",
        "app.py", "app.config['SECRET_KEY'] = '§§'\n",
        "README.md", "    export SECRET_KEY=§§  # choose your own\n",
    ),
    "kubernetes": Pair(
        "secret123",
        "k8s/prod/secret.yaml", "kind: Secret\nstringData:\n  password: §§\n",
        "charts/app/values.yaml.example", "password: §§\n",
    ),
    "powershell": Pair(
        "Welcome1",
        "provision.ps1", "$p = ConvertTo-SecureString '§§' -AsPlainText -Force\n",
        "docs/setup.md", "$p = ConvertTo-SecureString '§§' -AsPlainText -Force\n",
    ),
    "ansible": Pair(
        "Monkey12",
        "ansible/hosts.prod", "db1 ansible_user=root ansible_password=§§\n",
        "examples/hosts", "db1 ansible_user=root ansible_password=§§\n",
    ),
    "log": Pair(
        "dragon99",
        "log/app.log", "2024-01-31 10:11:12 login user=bo password=§§ ok\n",
        "docs/logging.md", "A line such as `login user=bo password=§§` is dropped.\n",
    ),
    "java": Pair(
        "football7",
        "src/main/java/Db.java", 'String password = "§§";\nconnect("db1", "shop", password);\n',
        "src/test/java/DbTest.java", '    String password = "§§";\n',
    ),
    "jenkins": Pair(
        "abc123456",
        "credentials.xml", "<username>ci</username>\n<password>§§</password>\n",
        "docs/api.md", '```json\n{"username": "user", "password": "§§"}\n```\n',
    ),
    "support": Pair(
        "iloveyou2",
        "support.txt", "Hi, I am bo@corp.com and my password is §§, please help\n",
        "test/login.spec.js", "await page.fill('#password', '§§');\n",
    ),
    "redis": Pair(
        "trustno1",
        "config/prod.yml", "redis:\n  host: redis.internal\n  password: §§\n",
        "config/redis.example.yml", "redis:\n  host: localhost\n  password: §§\n",
    ),
    "tomcat": Pair(
        "tomcat9",
        "conf/tomcat-users.xml", '<user username="admin" password="§§" roles="manager-gui"/>\n',
        "README.md", '    <user username="admin" password="§§" roles="manager-gui"/>\n',
    ),
    "dockerfile": Pair(
        "starwars7",
        "Dockerfile", "FROM shop\nENV DB_PASSWORD=§§\n",
        "README.md", "    docker run -e DB_PASSWORD=§§ image\n",
    ),
}  # fmt: skip

WAITING: frozenset[str] = frozenset(
    {
        "example: ansible",
        "example: connection string, xml",
        "example: django",
        "example: dockerfile",
        "example: java",
        "example: log",
        "example: powershell",
        "example: sql update",
        "example: tomcat",
        "example: wordpress",
        "secret: flask",
        "secret: my.cnf",
    }
)
RIGHT_OF_MORE = 65  # of 100 sides of the pairs that nothing was tuned on


def told(value: str, path: str, text: str) -> bool:
    """Whether the value is reported as more than ``info``, which is for addresses of nobody."""
    findings = builtin_scanner().scan(text.replace("§§", value).encode(), path=path)
    raw = value.encode()
    return any(raw in found.secret.reveal() and found.severity != "info" for found in findings)


def wrong_of(pairs: Mapping[str, Pair]) -> set[str]:
    """The sides that come out wrong."""
    wrong = set()
    for name, (value, path, text, example_path, example) in pairs.items():
        if not told(value, path, text):
            wrong.add(f"secret: {name}")
        if told(value, example_path, example):
            wrong.add(f"example: {name}")
    return wrong


def test_one_value_in_two_places() -> None:
    wrong = wrong_of(PAIRS)
    assert sorted(wrong - WAITING) == [], "these have come out right before"
    assert sorted(WAITING - wrong) == [], "these come out right now: take them from the list"


def test_pairs_that_nothing_was_tuned_on() -> None:
    right = 2 * len(MORE) - len(wrong_of(MORE))
    assert right >= RIGHT_OF_MORE


def test_there_are_enough_pairs() -> None:
    assert len(PAIRS) >= 25
