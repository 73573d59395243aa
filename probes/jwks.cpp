#include "probes/declarations.hpp"
#include "probes/jwks/session.hpp"
#include "probes/kinds.hpp"

namespace flipback {

namespace {

class jwks_probe final : public probe {
 public:
  jwks_probe(net::network& through, jwks::terms t, declarations declared)
      : through_(through), terms_(std::move(t)), declared_(std::move(declared)) {}

  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return declared_.all(); }

  asio::awaitable<observation> observe(run& r) override {
    findings found;
    jwks::session session(through_, terms_, rotation_, r, found);
    co_await session.ask();
    found.measure("rotations", static_cast<double>(rotation_.count()));
    co_return found.take();
  }

 private:
  net::network& through_;
  jwks::terms terms_;
  declarations declared_;
  jwks::rotation rotation_;
};

declarations declared_by(const jwks::terms& t) {
  declarations declared;
  declared.add({"keys", signal_kind::gauge, unit::number});
  declared.add({"signing_keys", signal_kind::gauge, unit::number});
  declared.add({"rotations", signal_kind::counter, unit::number});
  declared.add({"keys_seconds", signal_kind::gauge, unit::seconds});
  if (t.issuer) declared.add({"discovery_seconds", signal_kind::gauge, unit::seconds});
  if (!t.who.id.empty()) {
    declared.add({"token_seconds", signal_kind::gauge, unit::seconds});
    declared.add({"token_expires_in", signal_kind::gauge, unit::seconds});
  }
  if (t.issuer || t.keys) declared.add_certificate(t.first_asked().to);
  return declared;
}

}  // namespace

std::unique_ptr<probe> make_jwks_probe(settings::section& from, const surroundings& in) {
  jwks::terms t = jwks::read_terms(from);
  from.finish();
  declarations declared = declared_by(t);
  return std::make_unique<jwks_probe>(in.network, std::move(t), std::move(declared));
}

}  // namespace flipback
