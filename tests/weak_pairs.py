"""Further weak passwords in two places, written from what leaks look like, not from a detector."""

from __future__ import annotations

from typing import NamedTuple


class Pair(NamedTuple):
    """Paths and texts, ``§§`` being the value."""

    value: str
    path: str
    text: str
    example_path: str
    example: str


MORE: dict[str, Pair] = {
    # Connection strings and URLs
    "jdbc url": Pair(
        "Summer2024!",
        "conf/orders-prod.properties",
        "jdbc.driver=com.mysql.cj.jdbc.Driver\n"
        "jdbc.url=jdbc:mysql://db01.nordlog.local:3306/orders?user=orders&password=§§\n",
        "docs/configuration.md",
        "The URL has this form (replace host, user and password by yours):\n\n"
        "    jdbc.url=jdbc:mysql://HOST:3306/DATABASE?user=USER&password=§§\n",
    ),
    "odbc": Pair(
        "Welcome2023",
        "etl/nightly_load.py",
        "import pyodbc\n\ncn = pyodbc.connect(\n"
        "    'DRIVER={ODBC Driver 17 for SQL Server};SERVER=10.20.4.11;DATABASE=dwh;'\n"
        "    'UID=etl_svc;PWD=§§'\n)\n",
        "docs/tutorial/02-odbc.rst",
        "In this tutorial we connect to a database that does not exist::\n\n"
        "    DRIVER={SQL Server};SERVER=myserver;DATABASE=mydb;UID=myuser;PWD=§§\n",
    ),
    "amqp url": Pair(
        "guest",
        "deploy/production/worker.env",
        "C_FORCE_ROOT=0\nCELERY_BROKER_URL=amqp://guest:§§@rabbit01.prod.nordlog.net:5672//\n",
        "CONTRIBUTING.md",
        "Start RabbitMQ on your machine; its default login will do:\n\n"
        "    export CELERY_BROKER_URL=amqp://guest:§§@localhost:5672//\n",
    ),
    "mongodb+srv url": Pair(
        "Winter2023",
        "api/config/prod.json",
        '{\n  "mongo": "mongodb+srv://shopapi:§§@shop-prod.x7k2p.mongodb.net/shop?w=majority"\n}\n',
        ".env.sample",
        "# Replace with your own cluster, user and password\n"
        "MONGODB_URI=mongodb+srv://myuser:§§@cluster0.example.mongodb.net/mydb\n",
    ),
    "redis url": Pair(
        "redis123",
        "config/environments/production.rb",
        "Rails.application.configure do\n"
        "  config.cache_store = :redis_cache_store,\n"
        "    { url: 'redis://:§§@cache-01.prod.internal:6379/0' }\nend\n",
        "spec/support/redis_url_parser_spec.rb",
        "it 'reads the password from the url' do\n"
        "  expect(parse('redis://:§§@localhost:6379/0').password).to eq('§§')\nend\n",
    ),
    "smtp": Pair(
        "Mailer2022",
        "app/mailer.php",
        "$mail->Host = 'smtp.office365.com';\n$mail->SMTPAuth = true;\n"
        "$mail->Username = 'noreply@baltic-freight.com';\n$mail->Password = '§§';\n",
        "vendor/phpmailer/examples/smtp.php",
        "// Set the hostname of the mail server\n$mail->Host = 'mail.example.com';\n"
        "// Username and password to use for SMTP authentication\n"
        "$mail->Username = 'yourname@example.com';\n$mail->Password = '§§';\n",
    ),
    "libpq": Pair(
        "postgres",
        "cmd/billing/main.go",
        'const dsn = "host=pg-master.prod.internal port=5432 user=postgres password=§§ "+\n'
        '\t"dbname=billing sslmode=require"\n',
        "internal/store/store_test.go",
        "func TestStore(t *testing.T) {\n"
        '\tdsn := "host=localhost user=postgres password=§§ dbname=store_test sslmode=disable"\n'
        "\tdb, err := Open(dsn)\n",
    ),
    "ado.net": Pair(
        "P@ssw0rd1",
        "src/Payroll.Service/Program.cs",
        "var cs = \"Data Source=SQLPRD02\\\\PAYROLL;Initial Catalog=Payroll;\" +\n"
        '    "User ID=payroll_app;Password=§§;Encrypt=True";\n'
        "using var conn = new SqlConnection(cs);\n",
        "tests/Payroll.Tests/ConnectionStringParserTests.cs",
        "[Fact]\npublic void Parses_password()\n{\n"
        '    var b = Parser.Parse("Data Source=foo;User ID=bar;Password=§§");\n'
        '    Assert.Equal("§§", b.Password);\n}\n',
    ),
    "ftp url": Pair(
        "backup2021",
        "scripts/offsite.sh",
        "#!/bin/sh\nset -e\ntar czf /tmp/www.tgz /var/www\n"
        "curl -T /tmp/www.tgz ftp://nas-backup:§§@nas.baltic-freight.com/www/\n",
        "docs/reference/urls.md",
        "A URL may carry a user and a password, for example\n"
        "`ftp://user:§§@ftp.example.com/path/file.txt`.\n",
    ),
    "oracle": Pair(
        "oracle",
        "batch/month_end.bat",
        "@echo off\nset ORACLE_SID=FINPRD\n"
        "sqlplus -s fin_batch/§§@FINPRD @month_end.sql >> D:\\logs\\month_end.log\n",
        "docs/sqlplus-cheatsheet.md",
        "| To | Type |\n|---|---|\n| log in | `sqlplus your_user/§§@your_service` |\n",
    ),
    # Dumps
    "sql insert": Pair(
        "monkey123",
        "dump_2023-11-04.sql",
        "INSERT INTO `customers` (`id`, `email`, `password`, `created_at`) VALUES\n"
        "(4417, 'ilse.brandt@gmx.net', '§§', '2019-03-02 08:14:55');\n",
        "tests/fixtures/customers.sql",
        "-- Rows for the unit tests; none of these people exist\n"
        "INSERT INTO customers (id, email, password) VALUES (1, 'test1@example.com', '§§');\n",
    ),
    "sql copy": Pair(
        "princess1",
        "backups/forum_prod.pgdump.sql",
        "COPY public.members (id, login, email, password, last_ip) FROM stdin;\n"
        "90211\tkarol_w\tkarol.wrona@onet.pl\t§§\t83.6.114.20\n\\.\n",
        "db/seeds/test_members.sql",
        "-- seeds for the test database only\n"
        "COPY members (id, login, email, password) FROM stdin;\n"
        "1\ttestuser\ttestuser@example.org\t§§\n\\.\n",
    ),
    "sa login": Pair(
        "Sql2019!",
        "dba/runbook/prod_restore.sql",
        "-- SQLPRD01 after the failover of 12 March\nUSE [master];\n"
        "ALTER LOGIN [sa] WITH PASSWORD = N'§§';\nALTER LOGIN [sa] ENABLE;\n",
        "docs/t-sql/alter-login.md",
        "## Examples\n\nThe following example changes the password of login `Mary5`.\n\n"
        "```sql\nALTER LOGIN Mary5 WITH PASSWORD = '§§';\n```\n",
    ),
    "csv": Pair(
        "liverpool1",
        "exports/passwords-chrome.csv",
        "name,url,username,password\n"
        "portal.nordlog.net,https://portal.nordlog.net/login,g.hughes@nordlog.net,§§\n",
        "docs/import-template.csv",
        "name,url,username,password\n"
        "Example Site,https://www.example.com/login,your-username,§§\n",
    ),
    "keycloak": Pair(
        "admin",
        "keycloak/export/prod-realm.json",
        '{"realm": "nordlog", "users": [{"username": "kc-admin", "email": "it@nordlog.net",\n'
        '  "enabled": true, "credentials": [{"type": "password", "value": "§§"}]}]}\n',
        "src/test/resources/test-realm.json",
        '{"realm": "test", "users": [{"username": "test-user", "email": "test@localhost",\n'
        '  "enabled": true, "credentials": [{"type": "password", "value": "§§"}]}]}\n',
    ),
    # Infrastructure
    "group vars": Pair(
        "Ansible1!",
        "inventories/production/group_vars/windows.yml",
        "ansible_user: NORDLOG\\svc-ansible\nansible_password: §§\n"
        "ansible_connection: winrm\nansible_port: 5986\n",
        "roles/iis/README.md",
        "## Example inventory\n\n```yaml\nansible_user: Administrator\nansible_password: §§\n"
        "ansible_connection: winrm\n```\n",
    ),
    "helm": Pair(
        "changeme",
        "clusters/prod-eu/values-postgresql.yaml",
        "global:\n  storageClass: gp3\nauth:\n  username: ledger\n  database: ledger\n"
        "  password: §§\nprimary:\n  nodeSelector: {env: prod}\n",
        "charts/ledger/values.example.yaml",
        "# Example values. Copy to values.yaml and change every password!\nauth:\n"
        "  username: myuser\n  database: mydb\n  password: §§  # change this\n",
    ),
    "terraform": Pair(
        "Terraform1",
        "envs/prod/rds.tf",
        'resource "aws_db_instance" "orders" {\n  identifier = "orders-prod"\n'
        '  engine     = "postgres"\n  username   = "orders"\n  password   = "§§"\n'
        "  multi_az   = true\n}\n",
        "website/docs/r/db_instance.html.markdown",
        '## Example Usage\n\n```hcl\nresource "aws_db_instance" "default" {\n'
        '  engine   = "mysql"\n  username = "foo"\n  password = "§§"\n}\n```\n',
    ),
    "kubernetes env": Pair(
        "password",
        "k8s/overlays/production/deployment.yaml",
        "kind: Deployment\nmetadata:\n  name: crm\n  namespace: production\nspec:\n  template:\n"
        "    spec:\n      containers:\n      - name: crm\n        env:\n"
        "        - name: MYSQL_HOST\n          value: mysql.production.svc\n"
        "        - name: MYSQL_PASSWORD\n          value: §§\n",
        "docs/tutorials/first-deployment.md",
        "In this tutorial you run MySQL in minikube. Don't do this in production:\n\n```yaml\n"
        "env:\n- name: MYSQL_ROOT_PASSWORD\n  value: §§  # use a Secret in real usage\n```\n",
    ),
    "minio": Pair(
        "minioadmin",
        "docker-compose.prod.yml",
        "services:\n  minio:\n    image: minio/minio:RELEASE.2023-09-07T02-05-02Z\n"
        "    restart: always\n    environment:\n      MINIO_DOMAIN: files.baltic-freight.com\n"
        "      MINIO_ROOT_USER: storage\n      MINIO_ROOT_PASSWORD: §§\n",
        "docs/development.md",
        "For development, run a throwaway MinIO on your laptop:\n\n"
        "    docker run --rm -p 127.0.0.1:9000:9000 -e MINIO_ROOT_USER=minioadmin \\\n"
        "      -e MINIO_ROOT_PASSWORD=§§ minio/minio server /tmp/data\n",
    ),
    "gitlab ci": Pair(
        "Deploy123",
        ".gitlab-ci.yml",
        "deploy_production:\n  stage: deploy\n  only: [master]\n  script:\n"
        "    - sshpass -p '§§' scp -r dist/ deploy@web01.nordlog.net:/srv/www/\n",
        "docs/ci/sshpass.md",
        "Never write the password into the job, as in this bad example:\n\n```yaml\nscript:\n"
        "  - sshpass -p '§§' scp -r dist/ user@host.example.com:/path\n```\n",
    ),
    "service container": Pair(
        "postgres",
        ".github/workflows/deploy-production.yml",
        "jobs:\n  migrate:\n    environment: production\n    env:\n"
        "      PGHOST: pg.prod.baltic-freight.com\n      PGUSER: postgres\n"
        "      PGPASSWORD: §§\n    steps:\n      - run: ./migrate up\n",
        ".github/workflows/tests.yml",
        "jobs:\n  test:\n    services:\n      postgres:\n        image: postgres:16\n"
        "        env:\n          POSTGRES_DB: app_test\n          POSTGRES_PASSWORD: §§\n"
        "    steps:\n      - run: pytest\n",
    ),
    "packer": Pair(
        "VMware1!",
        "packer/esxi-golden.pkr.hcl",
        'source "vsphere-iso" "golden" {\n  vcenter_server = "vcenter.nordlog.local"\n'
        '  username       = "administrator@vsphere.local"\n  password       = "§§"\n'
        '  datacenter     = "DC1"\n}\n',
        "docs/builders/vsphere-iso.mdx",
        '## Example\n\n```hcl\nsource "vsphere-iso" "example" {\n'
        '  vcenter_server = "vcenter.example.com"\n  username       = "your-user"\n'
        '  password       = "§§"\n}\n```\n',
    ),
    "systemd": Pair(
        "letmein123",
        "etc/systemd/system/telemetry.service",
        "[Unit]\nDescription=Telemetry collector (plant 2)\n\n[Service]\nUser=telemetry\n"
        "Environment=INFLUX_URL=http://10.8.0.14:8086\nEnvironment=INFLUX_PASSWORD=§§\n"
        "ExecStart=/opt/telemetry/bin/collect\nRestart=always\n",
        "contrib/telemetry.service.sample",
        "# Sample unit: copy it to /etc/systemd/system and fill in your own values\n[Service]\n"
        "Environment=INFLUX_URL=http://localhost:8086\nEnvironment=INFLUX_PASSWORD=§§\n",
    ),
    "crontab": Pair(
        "root",
        "var/spool/cron/crontabs/backup",
        "# m h dom mon dow command\n"
        "15 2 * * * mysqldump -h 10.1.0.7 -u root --password=§§ shop | gzip > /mnt/nas/shop.gz\n",
        "docs/backup-howto.md",
        "Add a line like this to your crontab, with your own user and password:\n\n"
        "    15 2 * * * mysqldump -u USER --password=§§ DATABASE > /path/to/backup.sql\n",
    ),
    "unattend": Pair(
        "Passw0rd!",
        "wds/images/laptop-2023/unattend.xml",
        "<UserAccounts>\n  <AdministratorPassword>\n    <Value>§§</Value>\n"
        "    <PlainText>true</PlainText>\n  </AdministratorPassword>\n</UserAccounts>\n"
        "<RegisteredOrganization>Nordlog AB</RegisteredOrganization>\n",
        "docs/samples/unattend.sample.xml",
        "<!-- Sample answer file. Replace the password before you use it. -->\n<UserAccounts>\n"
        "  <AdministratorPassword>\n    <Value>§§</Value>\n    <PlainText>true</PlainText>\n"
        "  </AdministratorPassword>\n</UserAccounts>\n",
    ),
    "router": Pair(
        "cisco",
        "backups/sw-core-01_2022-08-19.cfg",
        "! Last configuration change at 09:12:41 CEST Fri Aug 19 2022 by netops\n"
        "hostname sw-core-01\n!\nenable password 0 §§\n!\ninterface Vlan10\n"
        " ip address 10.10.0.1 255.255.255.0\n",
        "docs/ccna-lab/01-basics.md",
        "**Exercise 1.** In Packet Tracer, set the password of the privileged mode:\n\n"
        "    Router(config)# enable password 0 §§\n",
    ),
    "asterisk": Pair(
        "123456",
        "pbx/etc/asterisk/sip.conf",
        "[2041]\ntype=friend\ncallerid=\"Reception Gdynia\" <2041>\nhost=dynamic\n"
        "secret=§§\ncontext=internal\nmailbox=2041@default\n",
        "configs/samples/sip.conf.sample",
        ";[grandstream1]          ; Example of a phone; don't use this password\n"
        ";type=friend\n;host=dynamic\n;secret=§§\n",
    ),
    "wifi": Pair(
        "coffee2020",
        "home/pi/etc/wpa_supplicant.conf",
        "country=SE\nctrl_interface=DIR=/var/run/wpa_supplicant GROUP=netdev\nnetwork={\n"
        '    ssid="Nordlog-Lager"\n    psk="§§"\n    key_mgmt=WPA-PSK\n}\n',
        "docs/headless-setup.md",
        "Create a file `wpa_supplicant.conf` with the name and password of your network:\n\n"
        '    network={\n        ssid="YOUR_NETWORK_NAME"\n        psk="§§"\n    }\n',
    ),
    "ipsec": Pair(
        "vpn12345",
        "etc/ipsec.secrets",
        "# tunnel Gdynia - Malmo, since 2018\n185.34.20.7 91.207.88.14 : PSK \"§§\"\n",
        "templates/ipsec.secrets.example",
        "# Example; replace the addresses and the key\n192.0.2.1 198.51.100.1 : PSK \"§§\"\n",
    ),
    # Files of logins and of services
    "netrc": Pair(
        "sunshine9",
        "home/jenkins/.netrc",
        "machine artifactory.nordlog.net\n  login jenkins-ci\n  password §§\n",
        "dotfiles/.netrc.template",
        "# copy to ~/.netrc, then put in your own login\n"
        "machine git.example.com\n  login YOUR_LOGIN\n  password §§\n",
    ),
    "pgpass": Pair(
        "qwerty12",
        "home/reports/.pgpass",
        "pg-replica.prod.nordlog.net:5432:sales:reports:§§\n",
        "docs/pgpass.md",
        "Each line has the form `hostname:port:database:username:password`, for example:\n\n"
        "    localhost:5432:mydb:myuser:§§\n",
    ),
    "smb credentials": Pair(
        "Scanner1",
        "etc/samba/credentials-fs01",
        "username=svc_scanner\npassword=§§\ndomain=BALTICFREIGHT\n",
        "docs/mount-cifs.md",
        "The file of credentials looks as follows:\n\n```\nusername=your_user\npassword=§§\n"
        "domain=YOUR_DOMAIN\n```\n",
    ),
    "pypirc": Pair(
        "python123",
        "home/build/.pypirc",
        "[distutils]\nindex-servers = nexus\n\n[nexus]\n"
        "repository = https://nexus.nordlog.net/repository/pypi-internal/\n"
        "username = build\npassword = §§\n",
        "docs/publishing.rst",
        "Your ``.pypirc`` should look like this::\n\n    [private]\n"
        "    repository = https://pypi.example.com/\n    username = <your name>\n"
        "    password = §§\n",
    ),
    "grafana": Pair(
        "admin",
        "monitoring/prod/grafana.ini",
        "[server]\ndomain = grafana.nordlog.net\nroot_url = https://grafana.nordlog.net/\n\n"
        "[security]\nadmin_user = ops\nadmin_password = §§\n",
        "conf/sample.ini",
        "[security]\n# default admin user, created on startup\n;admin_user = admin\n\n"
        "# default admin password, can be changed before first start of grafana\n"
        ";admin_password = §§\n",
    ),
    "kibana": Pair(
        "changeme",
        "etc/kibana/kibana.yml",
        "server.name: kibana-prod-1\nserver.host: 0.0.0.0\n"
        'elasticsearch.hosts: ["https://es-prod-1.nordlog.net:9200"]\n'
        'elasticsearch.username: "elastic"\nelasticsearch.password: "§§"\n',
        "config/kibana.yml.dist",
        "# If your Elasticsearch is protected with basic authentication, set these:\n"
        '#elasticsearch.username: "kibana_system"\n#elasticsearch.password: "§§"\n',
    ),
    "ldap": Pair(
        "Ldap2020",
        "gitlab/gitlab.rb",
        "external_url 'https://git.baltic-freight.com'\n"
        "gitlab_rails['ldap_servers'] = { 'main' => { 'host' => 'dc01.baltic.local',\n"
        "  'bind_dn' => 'CN=svc-git,OU=Services,DC=baltic,DC=local', 'password' => '§§' } }\n",
        "spec/lib/ldap/config_spec.rb",
        "let(:options) do\n  { 'host' => 'ldap.example.com', 'bind_dn' => 'uid=foo,dc=example',\n"
        "    'password' => '§§' }\nend\n",
    ),
    "spring yaml": Pair(
        "welcome1",
        "src/main/resources/application-prod.yml",
        "spring:\n  mail:\n    host: smtp.nordlog.net\n    port: 587\n"
        "    username: invoices@nordlog.net\n    password: §§\n",
        "src/test/resources/application.yml",
        "spring:\n  datasource:\n    url: jdbc:h2:mem:testdb\n    username: sa\n"
        "    password: §§\n",
    ),
    # Code
    "laravel": Pair(
        "root",
        "config/database.php",
        "'mysql' => [\n    'driver' => 'mysql',\n    'host' => '172.16.8.21',\n"
        "    'database' => 'webshop_live',\n    'username' => 'root',\n"
        "    'password' => '§§',\n],\n",
        "phpunit.xml.dist",
        '<php>\n  <env name="APP_ENV" value="testing"/>\n'
        '  <env name="DB_DATABASE" value="app_test"/>\n  <env name="DB_HOST" value="127.0.0.1"/>\n'
        '  <env name="DB_PASSWORD" value="§§"/>\n</php>\n',
    ),
    "knex": Pair(
        "mypassword1",
        "knexfile.js",
        "module.exports = {\n  production: {\n    client: 'mysql2',\n    connection: {\n"
        "      host: 'aurora.prod.nordlog.net', user: 'web', password: '§§',\n    },\n  },\n};\n",
        "src/stories/LoginForm.stories.jsx",
        "export default { title: 'Forms/LoginForm', component: LoginForm };\n"
        "export const Filled = { args: { user: 'jane', password: '§§' } };\n",
    ),
    "login call": Pair(
        "password1",
        "src/api/sync.js",
        "const { data } = await axios.post('https://erp.baltic-freight.com/api/login', {\n"
        "  username: 'integration', password: '§§',\n});\n",
        "src/components/SignUp.vue",
        '<label for="pw">{{ $t("signup.password") }}</label>\n'
        '<input id="pw" v-model="pw" type="password" placeholder="e.g. §§">\n',
    ),
    "android": Pair(
        "android1",
        "app/build.gradle",
        "signingConfigs {\n    release {\n        storeFile file('nordlog-release.jks')\n"
        "        storePassword '§§'\n        keyAlias 'upload'\n    }\n}\n",
        "docs/signing.md",
        "Put the following into `build.gradle`, with the password of *your* keystore:\n\n"
        "    storeFile file('my-release-key.jks')\n    storePassword '§§'\n",
    ),
    "notebook": Pair(
        "Analytics1",
        "notebooks/churn_q3.ipynb",
        '{"cells": [{"cell_type": "code", "execution_count": 4, "source": [\n'
        '  "conn = psycopg2.connect(host=\'dwh.nordlog.net\', dbname=\'dwh\',\\n",\n'
        "  \"    user='analyst', password='§§')\\n\"]}]}\n",
        "docs/tutorials/getting_started.ipynb",
        '{"cells": [{"cell_type": "markdown", "source": ["## Tutorial: your first query"]},\n'
        ' {"cell_type": "code", "source": [\n'
        "  \"conn = psycopg2.connect(host='localhost', dbname='tutorial',\\n\",\n"
        "  \"    user='tutorial', password='§§')\\n\"]}]}\n",
    ),
    "net use": Pair(
        "Office365",
        "netlogon/logon.bat",
        "@echo off\nnet time \\\\dc01 /set /yes\n"
        "net use P: \\\\fs02\\projects /user:BALTIC\\scan §§ /persistent:no\n",
        "docs/windows-shares.md",
        "To map a drive, type (each word in capitals is to be replaced):\n\n"
        "    net use X: \\\\SERVER\\SHARE /user:DOMAIN\\USER §§\n",
    ),
    "curl": Pair(
        "123456",
        "home/ops/.bash_history",
        "cd /opt/nexus\nsudo systemctl restart nexus\n"
        "curl -u deployer:§§ https://nexus.nordlog.net/service/rest/v1/status\ntail -f log/*\n",
        "docs/api/authentication.md",
        "Requests use HTTP Basic authentication:\n\n"
        "    curl -u your_username:§§ https://api.example.com/v1/status\n",
    ),
    # What people write
    "ticket": Pair(
        "Spring2023!",
        "export/jira/OPS-2213.txt",
        "OPS-2213  VPN access for the new controller\nReporter: A. Lindqvist   Status: Done\n\n"
        "Comment by M. Sobczak, 03/Apr/23 10:41:\n"
        "Account is ready. Login: h.nyberg, password: §§ - please tell her by phone.\n",
        "docs/support/ticket-template.md",
        "Template for the answer to a new user (fill in what is in brackets):\n\n"
        "    Hello [NAME], your account is ready. Login: [LOGIN], password: §§ (an example)\n",
    ),
    "e-mail": Pair(
        "Company123",
        "mail/inbox/0412.eml",
        "From: Piotr Zielinski <p.zielinski@baltic-freight.com>\n"
        "To: Karin Ek <karin.ek@nordlog.net>\nSubject: Re: customs portal\n"
        "Date: Tue, 14 Feb 2023 15:20:07 +0100\n\n"
        "Hi Karin,\n\nthe login to the portal is nordlog-se and the password is §§\n\nPiotr\n",
        "tests/mail/data/simple_message.eml",
        "From: Alice <alice@example.com>\nTo: Bob <bob@example.com>\nSubject: Test message\n\n"
        "Dummy body for the parser: the password is §§\n",
    ),
    "wiki": Pair(
        "password",
        "confluence-export/IT/Printer-and-NAS-accounts.html",
        "<h1>Printer and NAS accounts</h1><table>\n"
        "<tr><th>Device</th><th>Address</th><th>User</th><th>Password</th></tr>\n"
        "<tr><td>NAS, 2nd floor</td><td>10.4.2.30</td><td>nasadmin</td><td>§§</td></tr>\n"
        "</table>\n",
        "confluence-export/Security/Password-policy.html",
        "<h1>Password policy</h1>\n"
        "<p>A password must have 14 characters. Examples of bad passwords, which the system\n"
        "refuses: <code>§§</code>, names, birthdays.</p>\n",
    ),
    "slack": Pair(
        "Pa55word",
        "slack-export/ops/2023-06-21.json",
        '[{"user": "U02KD81Q", "type": "message", "ts": "1687341112.55",\n'
        '  "text": "anyone got the login for the staging jenkins?"},\n'
        ' {"user": "U01AB77X", "type": "message", "ts": "1687341190.01",\n'
        '  "text": "user ops, pw §§ - works for prod too"}]\n',
        "tests/fixtures/slack/messages.json",
        '[{"user": "UTESTUSER1", "type": "message", "ts": "1.0", "text": "hello world"},\n'
        ' {"user": "UTESTUSER2", "type": "message", "ts": "2.0",\n'
        '  "text": "test message with pw §§"}]\n',
    ),
    "access log": Pair(
        "baseball7",
        "var/log/nginx/portal.access.log",
        "94.254.11.82 - - [17/Oct/2022:07:58:13 +0200] "
        '"GET /login?user=g.hughes&password=§§ HTTP/1.1" 302 0 "-" "Mozilla/5.0"\n',
        "api/openapi.yaml",
        "/login:\n  get:\n    parameters:\n    - name: password\n      in: query\n"
        "      description: The password of the user, in clear text\n"
        "      schema:\n        type: string\n        example: §§\n",
    ),
}  # fmt: skip
