// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// Who administers a contract. The role is handed over in two steps, so that it cannot go to an address nobody has the key of.
abstract contract Roles {
    address public admin;
    /// To whom it was offered; nobody, where it is zero.
    address public pendingAdmin;

    event AdminOffered(address indexed from, address indexed to);
    event AdminChanged(address indexed from, address indexed to);

    error NotAdmin();
    error NotPendingAdmin();
    error ZeroAddress();

    modifier onlyAdmin() {
        if (msg.sender != admin) revert NotAdmin();
        _;
    }

    constructor(address admin_) {
        if (admin_ == address(0)) revert ZeroAddress();
        admin = admin_;
        emit AdminChanged(address(0), admin_);
    }

    /// Offers the role; the zero address takes an offer back.
    function offerAdmin(address to) external onlyAdmin {
        pendingAdmin = to;
        emit AdminOffered(admin, to);
    }

    function acceptAdmin() external {
        if (msg.sender != pendingAdmin) revert NotPendingAdmin();
        emit AdminChanged(admin, msg.sender);
        admin = msg.sender;
        delete pendingAdmin;
    }
}
